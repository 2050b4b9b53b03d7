"""Models predict from their file alone, alike through every door."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import polars as pl
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.onnx import build, expected
from flowml.automl.serve import CHUNK, Model, Predictor, labels_of
from flowml.storage.errors import ContractError, ExportError, NotFound
from flowml.storage.records import Task
from tests.automl.conftest import mixed_table
from tests.automl.onnx.champions import Trained, train

FAMILIES = [key for key, row in ALGORITHMS.items() if Task.BINARY in row.tasks]


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(Task.BINARY, ("logistic", "lightgbm", "catboost"))


@pytest.fixture(scope="module")
def predictor(trained: Trained) -> Predictor:
    return Predictor(build(trained.contract, trained.members, {"score": 0.75, "versions": {"numpy": "2"}}))


def test_it_knows_its_contract_and_what_is_said_of_it(predictor: Predictor, trained: Trained) -> None:
    assert predictor.contract == trained.contract
    assert predictor.classes == ("no", "yes")
    assert (predictor.about("score"), predictor.about("versions")) == (0.75, {"numpy": "2"})
    assert (predictor.about("task"), predictor.about("nothing")) == ("binary", None)


def test_one_row_and_many_in_every_form_get_the_same_answer(
    predictor: Predictor, trained: Trained, mixed: pl.DataFrame
) -> None:
    whole = predictor.predict(mixed)
    assert whole.probabilities is not None
    assert whole.probabilities == pytest.approx(
        expected(trained.contract, trained.members, trained.feeds), abs=1e-6
    )
    for form in (mixed.to_pandas(), mixed.to_arrow(), mixed.to_dicts()):
        assert np.array_equal(predictor.predict(form).probabilities, whole.probabilities)  # type: ignore[arg-type]
    for number, row in enumerate(mixed.head(40).to_dicts()):
        one = predictor.predict_one(row)
        assert one.probabilities is not None
        assert one.probabilities[0] == pytest.approx(whole.probabilities[number], abs=1e-7)
        assert one.values[0] == whole.values[number]


def test_frames_larger_than_a_chunk(predictor: Predictor) -> None:
    large = mixed_table(CHUNK + 7, seed=3)
    whole = predictor.predict(large)
    assert len(whole) == CHUNK + 7
    tail = predictor.predict(large.tail(7))
    assert np.array_equal(whole.probabilities[-7:], tail.probabilities)  # type: ignore[index, arg-type]


@pytest.mark.parametrize("rows", [[], pl.DataFrame(), pd.DataFrame({"age": []})])
def test_no_rows_get_no_answers(predictor: Predictor, rows: Any) -> None:
    answer = predictor.predict(rows)
    assert (len(answer), answer.probabilities.shape, answer.to_dicts()) == (0, (0, 2), [])  # type: ignore[union-attr]


def test_answers_as_plain_dicts(predictor: Predictor) -> None:
    rows = [{**predictor.contract.example, "city": "Atlantis"}, predictor.contract.example]
    first, second = predictor.predict(rows).to_dicts()
    assert first["prediction"] in ("no", "yes")
    assert sum(first["probability"].values()) == pytest.approx(1.0)
    assert set(first["probability"]) == {"no", "yes"}
    assert (first["warnings"], second["warnings"]) == (
        "city: category 'Atlantis' was not seen in training",
        "",
    )


def test_several_threads_may_ask_at_once(predictor: Predictor, mixed: pl.DataFrame) -> None:
    rows = mixed.to_dicts()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(predictor.predict_one, rows))
    alone = [predictor.predict_one(row) for row in rows]
    assert all(np.array_equal(a.probabilities, b.probabilities) for a, b in zip(answers, alone, strict=True))  # type: ignore[arg-type]


LABELS = [
    ("integer", ("-1", "10"), (-1, 10), "i"),
    ("boolean", ("false", "true"), (False, True), "b"),
    ("string", ("no", "yes"), ("no", "yes"), "O"),
]


@pytest.mark.parametrize(("label_type", "texts", "classes", "kind"), LABELS)
def test_labels_come_back_in_their_own_type(
    label_type: str,
    texts: tuple[str, str],
    classes: tuple[Any, Any],
    kind: str,
    trained: Trained,
    mixed: pl.DataFrame,
) -> None:
    contract = replace(trained.contract, classes=texts, label_type=label_type)
    content = build(contract, trained.members)
    answer = Predictor(content).predict(mixed)
    assert answer.values.dtype.kind == kind
    assert set(answer.values.tolist()) == set(answer.classes) == set(classes)
    assert set(answer.to_dicts()[0]["probability"]) == set(texts)
    bare = onnxruntime.InferenceSession(content).run(["label"], trained.feeds)[0]
    assert np.array_equal(labels_of(bare, label_type), answer.values)


HOSTILE: list[dict[str, Any]] = [
    {"age": "12"},
    {"age": " 12 ", "income": "1,5"},
    {"age": "twelve"},
    {"age": None, "income": None, "member": None},
    {"age": float("inf"), "income": float("-inf")},
    {"age": 1e300, "income": -1e38},
    {"age": True, "member": "yes"},
    {"age": 10**400},
    {"city": "Atlantis", "plan": "gold"},
    {"city": "", "plan": None},
    {"city": "nan", "plan": "None"},
    {"city": 7, "plan": 1.5},
    {"city": True, "plan": ["free"]},
    {"city": " Bonn ", "plan": "FREE"},
    {"city": "\0", "plan": "\ud800"},
    {"city": "x" * 10_000},
    {"joined": "2024-02-29", "seen": "2024-02-29T23:59:59"},
    {"joined": "2023-02-29"},
    {"joined": None, "seen": None},
    {"joined": "0001-01-01", "seen": "9999-12-31T23:59:59"},
    {"joined": "2024-01-01T00:00:00+14:00"},
    {"joined": 1_700_000_000, "seen": 12.5},
    {"note": ""},
    {"note": "good GOOD bad! \n\t late " * 200},
    {"note": 17},
    {"note": "🙂" * 50},
    {"extra": 1},
    {"age": 1},
    {"note": "only text"},
    {"age": b"12", "city": b"Bonn"},
]


@pytest.mark.parametrize("key", FAMILIES)
def test_hostile_rows_are_answered_alike_through_every_door(key: str) -> None:
    """As one row, as rows, as frames of text, and by bare onnxruntime fed as documented."""
    trained = train(Task.BINARY, (key,), rows=200)
    content = build(trained.contract, trained.members)
    predictor, bare = Predictor(content), onnxruntime.InferenceSession(content)
    for changes in HOSTILE:
        row = (
            changes
            if len(changes) == 1 and changes.keys() & {"age", "note"}
            else {**trained.contract.example, **changes}
        )
        one, many = predictor.predict_one(row), predictor.predict([row, row])
        feeds, _ = predictor.contract.accept(row)
        shares = [one.probabilities[0], many.probabilities[1], bare.run(None, feeds)[1][0]]  # type: ignore[index]
        shares.append(expected(trained.contract, trained.members, feeds)[0])
        assert np.isfinite(shares).all()
        assert np.ptp(np.array(shares, np.float64), axis=0).max() < 1e-6
        assert one.values[0] == many.values[1]


def test_a_file_that_is_no_model_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"not a model")
    with pytest.raises(NotFound, match="no model file"):
        Predictor(tmp_path / "none.onnx")
    with pytest.raises(ExportError, match="cannot be opened"):
        Predictor(tmp_path / "m.onnx")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])],
    )
    foreign = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    with pytest.raises(ContractError, match="did not write it"):
        Predictor(foreign.SerializeToString())


def test_the_public_model(tmp_path: Path, trained: Trained, mixed: pl.DataFrame) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(build(trained.contract, trained.members, {"card": {"name": "it"}}))
    model = Model.load(str(path))
    labels, shares = model.predict(mixed.to_pandas()), model.predict_proba(mixed)
    assert [model.classes[k] for k in shares.argmax(axis=1)] == labels.tolist()
    assert (model.contract, model.card) == (trained.contract, {"name": "it"})
    assert len(model.predictions(mixed).warnings) == 0
    assert repr(model) == "Model(binary of 'score' from 8 columns)"
    model.save(tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == path.read_bytes()
    with pytest.raises(NotFound):
        Model.load(tmp_path / "none.onnx")


def test_a_regression_has_numbers_and_no_probabilities(mixed: pl.DataFrame) -> None:
    trained = train(Task.REGRESSION, ("ridge",))
    model = Model(build(trained.contract, trained.members))
    assert model.predict(mixed).dtype == np.float64
    assert model.predictions([]).probabilities is None
    with pytest.raises(ContractError, match="no probabilities"):
        model.predict_proba(mixed)


def test_serving_imports_no_library_that_trains() -> None:
    code = (
        "import sys, flowml.automl.serve, flowml.automl.scoring;"
        "heavy = {'sklearn', 'lightgbm', 'xgboost', 'catboost', 'optuna', 'scipy', 'pandas', 'onnx'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
