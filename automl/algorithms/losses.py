"""Raw scores of boosted models: which output each of them is about, and how far they are off.

A fold may lack a class. Libraries then learn fewer scores, or the single one of two classes, while the
prediction has a column for every class of the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowml.automl.algorithms.links import LINKS, answers
from flowml.automl.algorithms.planting import NEVER
from flowml.automl.algorithms.row import FoldTable
from flowml.automl.metrics import Array, Weights
from flowml.storage.records import Task


@dataclass(frozen=True)
class Raw:
    """`targets`: the output that each score of the library is about. Outputs without one keep `rest`."""

    task: Task
    outputs: int
    targets: tuple[int, ...]
    rest: Array  # (outputs,)

    @classmethod
    def of(cls, fold: FoldTable) -> Raw:
        if fold.task is not Task.MULTICLASS:
            return cls(fold.task, 1, (0,), np.zeros(1))
        seen = np.unique(fold.y).astype(int)
        rest = np.full(fold.outputs, NEVER)
        rest[seen] = 0.0
        return cls(fold.task, fold.outputs, tuple((seen[1:] if len(seen) == 2 else seen).tolist()), rest)

    @property
    def link(self) -> str:
        return LINKS[self.task]

    def spread(self, scores: Array) -> Array:
        """Scores of the library (rows, its scores) as raw scores (rows, outputs)."""
        spread = np.repeat(self.rest[None], len(scores), axis=0)
        spread[:, self.targets] = scores
        return spread

    def predict(self, scores: Array) -> Array:
        return answers(self.task, self.spread(scores))


def scores_of(model: Any, X: Array) -> Array:
    """Raw scores (rows, its scores) of a boosted model of scikit-learn."""
    ask = getattr(model, "decision_function", None) or model.predict
    return np.asarray(ask(X), np.float64).reshape(len(X), -1)


def loss_of(fold: FoldTable) -> str:
    """As scikit-learn calls it."""
    if fold.task is not Task.REGRESSION:
        return "log_loss"
    return "absolute_error" if fold.absolute else "squared_error"


def validation_loss(fold: FoldTable, found: Array) -> float:
    """Of raw scores (rows, outputs): log loss, squared error, or absolute error where asked for."""
    if fold.task is Task.REGRESSION:
        errors = np.abs(found[:, 0] - fold.y_valid)
        return _mean(errors if fold.absolute else errors**2, fold.weights_valid)
    if fold.task is Task.BINARY:
        wrong = np.where(fold.y_valid == 1, -found[:, 0], found[:, 0])
        return _mean(np.logaddexp(0.0, wrong), fold.weights_valid)
    top = found.max(axis=1)
    logs = top + np.log(np.exp(found - top[:, None]).sum(axis=1))
    return _mean(logs - found[np.arange(len(found)), fold.y_valid], fold.weights_valid)


def _mean(losses: Array, weights: Weights) -> float:
    return float(np.average(losses, weights=weights))
