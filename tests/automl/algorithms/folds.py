"""Small folds to fit on: numbers with holes and one column of codes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from flowml.automl.algorithms.row import FitContext, FoldTable
from flowml.automl.metrics import DEFAULT_METRIC
from flowml.automl.shape import Shape
from flowml.storage.records import Task

OUTPUTS = {Task.BINARY: 2, Task.MULTICLASS: 3, Task.REGRESSION: 1}


def context(seconds: float = 30.0, **changes: Any) -> FitContext:
    return replace(FitContext(threads=1, seed=3, deadline=time.monotonic() + seconds), **changes)


def make_fold(task: Task, rows: int = 160, holes: bool = True, categorical: bool = True) -> FoldTable:
    generator = np.random.default_rng(11)
    X = generator.normal(size=(rows, 5)).astype(np.float32)
    X[:, 3] = generator.integers(0, 6, rows)
    signal = X[:, 0] + 0.7 * (X[:, 3] % 2) - 0.5 * X[:, 1]
    if task is Task.REGRESSION:
        y = np.exp(signal) + 0.05 * generator.random(rows)
    else:
        y = np.digitize(signal, np.quantile(signal, np.linspace(0, 1, OUTPUTS[task] + 1)[1:-1]))
    if holes:
        X[generator.random(X.shape) < 0.06] = np.nan
    cut = rows * 3 // 4
    codes = (3,) if categorical else ()
    parts = (X[:cut], y[:cut], None, X[cut:], y[cut:], None)
    return FoldTable(*parts, task, OUTPUTS[task], DEFAULT_METRIC[task], codes)


def shape_of(task: Task, rows: int = 160, **changes: Any) -> Shape:
    shape = Shape(
        rows=rows,
        columns=5,
        numeric=4,
        categorical=1,
        max_cardinality=6,
        onehot_columns=10,
        classes=OUTPUTS[task] if task is not Task.REGRESSION else 0,
        folds=5,
        train_rows=rows * 4 // 5,
        valid_rows=rows // 5,
        task=task,
        metric=DEFAULT_METRIC[task],
        direction="maximize" if task is Task.BINARY else "minimize",
    )
    return replace(shape, **changes)
