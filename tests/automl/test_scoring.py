"""Predictions of whole tables, and their files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flowml.automl.contract import Warnings
from flowml.automl.onnx import build
from flowml.automl.scoring import SINKS, neutralise, open_sink, score, to_frame
from flowml.automl.serve import Predictions, Predictor
from flowml.storage.errors import SpecError
from flowml.storage.records import Task
from tests.automl.onnx.champions import train


@pytest.mark.parametrize("task", list(Task))
def test_columns_are_those_that_are_documented(task: Task, mixed: pl.DataFrame) -> None:
    trained = train(task, ("dummy",))
    predictor = Predictor(build(trained.contract, trained.members))
    scored = score(predictor, mixed)
    assert scored.columns == [
        "prediction",
        *(f"probability_{c}" for c in trained.contract.classes),
        "warnings",
    ]
    assert scored.height == mixed.height
    assert scored["prediction"].dtype == (pl.Float64 if task is Task.REGRESSION else pl.String)
    assert set(scored["warnings"]) == {""}
    assert score(predictor, mixed.clear()).columns == scored.columns


def test_each_row_has_its_own_warnings(mixed: pl.DataFrame) -> None:
    trained = train(Task.BINARY, ("dummy",))
    odd = mixed.head(3).with_columns(plan=pl.Series(["free", "gold", None]), age=pl.Series(["1", "x", "3"]))
    told = score(Predictor(build(trained.contract, trained.members)), odd)["warnings"].to_list()
    assert told[0] == "age: text read as a number"
    assert "plan: category 'gold' was not seen in training" in told[1]
    assert "plan: missing, which it never was in training" in told[2]


def predictions(values: list[object], classes: tuple[object, ...]) -> Predictions:
    shares = np.full((len(values), len(classes)), 1 / len(classes), np.float32)
    return Predictions(np.array(values, dtype=object), shares, classes, Warnings())


def test_csv_holds_no_formulas(tmp_path: Path) -> None:
    frame = to_frame(predictions(["=1+1", "-5", "@x", "+2.5e3", "plain", "\tx", "-a"], ("=1+1", "plain")))
    for path in (tmp_path / "out.csv", tmp_path / "out.parquet"):
        sink = open_sink(path)
        sink.write(frame.head(2))
        sink.write(frame.tail(-2))
        sink.close()
    back = pl.read_csv(tmp_path / "out.csv", infer_schema=False)
    assert back["prediction"].to_list() == ["'=1+1", "-5", "'@x", "+2.5e3", "plain", "'\tx", "'-a"]
    assert pl.read_parquet(tmp_path / "out.parquet").equals(frame)


def test_excel_holds_no_formulas(tmp_path: Path) -> None:
    frame = to_frame(predictions(["=1+1", "-5", "plain"], ("=1+1", "plain")))
    sink = open_sink(tmp_path / "out.xlsx")
    sink.write(frame.head(2))
    sink.write(frame.tail(-2))
    sink.close()
    with zipfile.ZipFile(tmp_path / "out.xlsx") as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
        assert b"quotePrefix" in book.read("xl/styles.xml")
    back = pl.read_excel(tmp_path / "out.xlsx", engine="calamine")
    assert back["prediction"].to_list() == ["=1+1", "-5", "plain"]
    assert back["probability_plain"].to_list() == [0.5, 0.5, 0.5]


def test_names_of_columns_are_made_safe_too() -> None:
    assert neutralise(pl.DataFrame({"=cmd": [1], "b": ["x"]})).columns == ["'=cmd", "b"]


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="ods") as caught:
        open_sink(tmp_path / "out.ods")
    assert all(suffix in caught.value.advice for suffix in SINKS)
