"""Training without studio or Redis, from Python."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import flowml
from flowml.runner import local
from flowml.runner.fit import Silent
from flowml.runner.options import spec_of
from flowml.storage.errors import DataError, NotFound, SpecError, StorageError, UnknownColumn
from flowml.storage.records import Control, JobSpec, JobState, Role


def houses() -> pl.DataFrame:
    draw = np.random.default_rng(0)
    size = draw.uniform(40, 200, 200)
    return pl.DataFrame({"size": size, "floor": draw.integers(0, 9, 200), "price": size * 3000 + 5000})


@pytest.mark.parametrize(
    "kind", [lambda frame: frame, lambda frame: pd.DataFrame(frame.to_dict(as_series=False))]
)
def test_a_frame_becomes_a_model(kind: Callable[[pl.DataFrame], pl.DataFrame], tmp_path: Path) -> None:
    frame = houses()
    model = flowml.fit(kind(frame), target="price", budget="1m", algorithms=("ridge",), max_trials=1)
    predicted = model.predict(frame)
    assert np.corrcoef(predicted, frame["price"])[0, 1] > 0.99
    assert model.about("data")["rows"] == 200
    assert len(model.about("data")["sha256"]) == 64
    assert model.about("versions")["flowml"] == flowml.__version__
    assert {column["name"] for column in model.about("reference")["columns"]} == {"size", "floor"}
    model.save(tmp_path / "model.onnx")
    assert flowml.load(tmp_path / "model.onnx").predict(frame).tolist() == predicted.tolist()


WRONG: dict[str, Any] = {
    "algorithms": "lightgbm",
    "roles": {"area": "evil"},
    "folds": "x",
    "seed": 1.5,
    "max_latency_ms": True,
    "split": 5,
}


def test_options_are_read_as_they_are_written_in_python() -> None:
    asked = {"algorithms": ["ridge"], "seed": np.int64(3), "max_latency_ms": 5, "roles": {"area": "ignored"}}
    spec = spec_of("price", 5, asked)
    assert (spec.algorithms, spec.seed, type(spec.seed)) == (("ridge",), 3, int)
    assert (spec.max_latency_ms, spec.roles) == (5.0, {"area": Role.IGNORED})


def test_what_is_asked_wrongly_is_said() -> None:
    with pytest.raises(UnknownColumn, match="Did you mean 'price'"):
        flowml.fit(houses(), target="prize")
    with pytest.raises(SpecError, match="budget"):
        flowml.fit(houses(), target="price", budget="soon")
    with pytest.raises(SpecError, match="depth"):
        flowml.fit(houses(), target="price", depth=3)
    for name, value in WRONG.items():
        with pytest.raises(SpecError, match=f"option {name} is {re.escape(repr(value))}"):
            flowml.fit(houses(), target="price", **{name: value})
    with pytest.raises(DataError, match="list"):
        flowml.fit([1, 2], target="price")
    with pytest.raises(AttributeError, match="nothing"):
        _ = flowml.nothing
    with pytest.raises(NotFound):
        flowml.load("nowhere.onnx")


def test_a_cancelled_training_writes_nothing(tmp_path: Path) -> None:
    houses().write_csv(tmp_path / "houses.csv")
    spec = JobSpec("price", budget_s=60.0)
    outcome = local.train(tmp_path / "houses.csv", spec, tmp_path / "out", Silent(), lambda: Control.CANCEL)
    assert outcome.state is JobState.CANCELLED
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        local.train(tmp_path / "houses.csv", JobSpec("price"), tmp_path / "file" / "out", Silent())


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    houses().write_csv(tmp_path / "houses.csv")
    spec = JobSpec("price", budget_s=60.0, algorithms=("ridge",), max_trials=1)
    local.train(tmp_path / "houses.csv", spec, tmp_path / "out", Silent())
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "out" / "model.onnx").is_file()


def test_the_compact_variant_beside_a_model_is_packed(tmp_path: Path) -> None:
    golden = Path(__file__).parent.parent / "golden" / "0.1.0"
    model, compact = tmp_path / "model.onnx", tmp_path / "model.compact.onnx"
    model.write_bytes((golden / "catboost.onnx").read_bytes())
    with pytest.raises(NotFound, match=r"model\.compact\.onnx"):
        local.package(model, tmp_path / "p.zip", compact=True)
    compact.write_bytes((golden / "ada_boost.onnx").read_bytes())
    for given in (tmp_path, model, compact):
        local.package(given, tmp_path / "p.zip", compact=True)
        with zipfile.ZipFile(tmp_path / "p.zip") as packed:
            assert packed.read("model.onnx") == compact.read_bytes()
