"""DOORS: the ways in which rows come to a model. Each answers with one line of numbers for each row."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import polars as pl

from flowml.automl.contract import Feeds, rows_of
from flowml.automl.scoring import open_sink, score_pieces
from flowml.automl.serve import Predictions, Predictor
from flowml.runner.scoring import score_file, wanted_by
from flowml.storage.pieces import open_pieces
from flowml.storage.records import Json
from flowml.ui.api.bodies.results import PredictAsked
from flowml.ui.api.predictions import predict
from tests.doors.hostile import Hostile

Numbers = npt.NDArray[np.float64]


class Everybody(Predictor):
    """Models of one contract that are asked together: their answers stand side by side as probabilities."""

    def __init__(self, models: dict[str, bytes]) -> None:
        super().__init__(next(iter(models.values())))
        self.sessions = [onnxruntime.InferenceSession(content) for content in models.values()]
        widths = [session.get_outputs()[-1].shape for session in self.sessions]
        names = zip(models, [shape[1] if len(shape) > 1 else 1 for shape in widths], strict=True)
        self.classes = tuple(f"{key} {number}" for key, width in names for number in range(width))

    def _run(self, feeds: Feeds) -> tuple[Any, Any]:
        answers = [session.run(None, feeds)[-1] for session in self.sessions]
        side_by_side = np.concatenate([each.reshape(rows_of(feeds), -1) for each in answers], axis=1)
        return np.full(rows_of(feeds), "label", object), side_by_side.astype(np.float32)

    def _nothing(self) -> tuple[Any, Any]:
        return np.zeros(0, object), np.zeros((0, len(self.classes)), np.float32)


@dataclass(frozen=True)
class House:
    """A predictor with a folder for files; it serves itself as a studio would."""

    warm: Predictor
    folder: Path

    def predictor(self, _model_id: str) -> Predictor:
        return self.warm


def numbers_of(found: Predictions) -> Numbers:
    values = found.values if found.probabilities is None else found.probabilities
    return np.asarray(values, np.float64).reshape(len(found), values.shape[1] if values.ndim > 1 else 1)


def by_python(house: House, hostile: Hostile) -> Numbers:
    return numbers_of(house.warm.predict(hostile.rows()))


def by_single_rows(house: House, hostile: Hostile) -> Numbers:
    rows = records(hostile.rows())
    answers = [numbers_of(house.warm.predict_one(row)) for row in rows]
    return np.concatenate(answers) if answers else by_python(house, hostile)


def by_rest(house: House, hostile: Hostile) -> Numbers:
    """What the route does with the body of a request."""
    rows = [{str(name): plain(cell) for name, cell in row.items()} for row in records(hostile.rows())]
    asked = PredictAsked.model_validate(json.loads(json.dumps({"data": rows})))
    answer = predict(house, "m", asked.data)  # type: ignore[arg-type]
    shares = json.loads(answer.model_dump_json())["probability"]
    return np.array([list(row.values()) for row in shares]) if shares else by_python(house, hostile)


def by_file(house: House, hostile: Hostile) -> Numbers:
    """What `flowml predict` and the page do: text where text can hold the rows, CSV as the answer."""
    file, out = write(hostile, house.folder), house.folder / "answers.csv"
    score_file(house.warm, file, file.name, out)
    return read(pl.read_csv(out, infer_schema_length=None))


def by_batch(house: House, hostile: Hostile) -> Numbers:
    """Parquet where the rows are a table, in pieces of two rows, to Parquet."""
    rows, file = hostile.rows(), house.folder / "rows.parquet"
    if isinstance(rows, pl.DataFrame):
        rows.write_parquet(file)
    else:
        file = write(hostile, house.folder)
    pieces = open_pieces(file, file.name, wanted_by(house.warm.contract), rows=2)
    house.warm.contract.refuse_strangers(pieces.names or house.warm.contract.names)
    sink = open_sink(house.folder / "answers.parquet")
    score_pieces(house.warm, pieces.each, sink, as_text=pieces.as_text)
    sink.close()
    return read(pl.read_parquet(house.folder / "answers.parquet"))


def by_bare_onnxruntime(house: House, hostile: Hostile) -> Numbers:
    """Fed as the documentation says, with the options that onnxruntime has by itself."""
    feeds, _ = house.warm.contract.accept(hostile.rows())
    assert isinstance(house.warm, Everybody)
    answers = [session.run(None, feeds)[-1] for session in house.warm.sessions]
    return np.concatenate([each.reshape(rows_of(feeds), -1) for each in answers], axis=1)


DOORS: dict[str, Callable[[House, Hostile], Numbers]] = {
    "Python": by_python,
    "single rows": by_single_rows,
    "REST": by_rest,
    "file": by_file,
    "batch": by_batch,
    "bare onnxruntime": by_bare_onnxruntime,
}


# --- forms of rows ----------------------------------------------------------------------------------------


def records(rows: Any) -> list[Json]:
    """Any table as a list of dicts."""
    for name in ("to_dicts", "to_pylist"):
        if hasattr(rows, name):
            return list(getattr(rows, name)())
    return list(rows.to_dict("records") if hasattr(rows, "to_dict") else rows)


def plain(value: Any) -> Any:
    """As a caller would put it into JSON."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, np.datetime64 | dt.date | dt.time):
        return str(value) if isinstance(value, np.datetime64) else value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bool | int | float | str | list | dict) or value is None:
        return value
    return None if type(value).__name__ in ("NAType", "NaTType") else str(value)


def write(hostile: Hostile, folder: Path) -> Path:
    given = hostile.rows()
    rows = records(given)
    known = getattr(given, "column_names", None) or getattr(given, "columns", None)
    names = list(dict.fromkeys(str(name) for row in rows for name in row) if known is None else known)
    if not hostile.text:
        path = folder / "rows.jsonl"
        path.write_text("\n".join(json.dumps({str(k): plain(v) for k, v in row.items()}) for row in rows))
        return path
    path = folder / "rows.csv"
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([[spelled(row.get(name)) for name in names] for row in rows])
    return path


def spelled(value: Any) -> str:
    cell = plain(value)
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def read(answers: pl.DataFrame) -> Numbers:
    shares = [name for name in answers.columns if name.startswith("probability_")]
    found = answers.select(shares or ["prediction"]).to_numpy()
    return np.asarray(found, np.float64).reshape(answers.height, found.shape[1])
