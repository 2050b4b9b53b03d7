"""The baseline: the same prediction for every row. Whatever is worse than this has learned nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.fitted import Fitted, pack
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

OF_MEDIAN = ("mae", "median_ae", "mape", "smape")  # metrics that the median serves better than the mean


@dataclass(frozen=True)
class Constant:
    value: Array  # (outputs,)
    task: Task
    rounds: int = 0
    cut: bool = False

    def predict(self, X: Array) -> Array:
        rows: Array = np.tile(self.value, (len(X), 1))
        return rows[:, 0] if self.task is Task.REGRESSION else rows

    def freeze(self) -> Fitted:
        link = "identity" if self.task is Task.REGRESSION else "probability"
        return Fitted("constant", link, pack({"value": self.value}), len(self.value))


def fit(fold: FoldTable, _params: Json, _context: FitContext) -> Constant:
    if fold.task is not Task.REGRESSION:
        shares = np.bincount(fold.y, weights=fold.weights, minlength=fold.outputs).astype(np.float64)
        return Constant(shares / shares.sum(), fold.task)
    middle = np.median(fold.y) if fold.metric in OF_MEDIAN else np.average(fold.y, weights=fold.weights)
    return Constant(np.array([middle], np.float64), fold.task)


def space(_trial: Space, _shape: Shape) -> Json:
    return {}


def cost(shape: Shape, _params: Json) -> Cost:
    return Cost(0.002 + 2e-8 * shape.rows, 8.0 * shape.rows * max(shape.classes, 1))


DUMMY = Algorithm(
    key="dummy",
    label="Baseline",
    family="baseline",
    package="numpy",
    tasks=ALL_TASKS,
    encoding="ordinal",
    format="constant",
    fit=fit,
    space=space,
    defaults=lambda _shape: {},
    cost=cost,
    log_target=False,
)
