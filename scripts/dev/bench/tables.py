"""The tables to measure on, and how their rows are split."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from flowml.automl.metrics import DEFAULT_METRIC
from flowml.storage.records import Task

MANIFEST = "manifest.json"
HELD_OUT = 0.2


@dataclass(frozen=True)
class Table:
    name: str
    task: Task
    target: str
    metric: str
    read: Callable[[], pl.DataFrame]


def tables(folder: Path | None) -> list[Table]:
    """Those that a folder's manifest lists, in its order; without a folder those of scikit-learn."""
    if folder is None:
        return built_in()
    listed = json.loads((folder / MANIFEST).read_text())
    return [_listed(folder, entry) for entry in listed]


def _listed(folder: Path, entry: dict[str, str]) -> Table:
    file = folder / entry.get("file", f"{entry['name']}.parquet")
    task = Task(entry["task"])
    metric = entry.get("metric", DEFAULT_METRIC[task])
    return Table(entry["name"], task, entry["target"], metric, lambda: pl.read_parquet(file))


def built_in() -> list[Table]:
    tasks = {
        "iris": Task.MULTICLASS,
        "wine": Task.MULTICLASS,
        "breast_cancer": Task.BINARY,
        "digits": Task.MULTICLASS,
        "diabetes": Task.REGRESSION,
    }
    return [Table(name, task, "target", DEFAULT_METRIC[task], _reader(name)) for name, task in tasks.items()]


def _reader(name: str) -> Callable[[], pl.DataFrame]:
    def read() -> pl.DataFrame:
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{name}")()
        columns = {str(column): bunch.data[:, i] for i, column in enumerate(bunch.feature_names)}
        return pl.DataFrame({**columns, "target": bunch.target})

    return read


def split(table: Table, frame: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows to train on and rows held out, of each class its share. The old generator never changes."""
    draw = np.random.RandomState(seed)
    held_out = np.zeros(frame.height, dtype=bool)
    if table.task is Task.REGRESSION:
        order = draw.permutation(frame.height)
        held_out[order[: round(HELD_OUT * frame.height)]] = True
    else:
        codes = frame[table.target].rank("dense").to_numpy()
        for code in np.unique(codes):
            rows = draw.permutation(np.flatnonzero(codes == code))
            held_out[rows[: max(1, round(HELD_OUT * len(rows)))]] = True
    return frame.filter(pl.Series(~held_out)), frame.filter(pl.Series(held_out))
