"""From raw scores to predictions, as the exported model does it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from flowml.automl.algorithms.row import Estimator
from flowml.automl.fitted import Fitted
from flowml.automl.metrics import Array
from flowml.storage.records import Task

# From the scores of a model that learns one for each class, one for the second of two, or a value.
LINKS = {Task.BINARY: "sigmoid", Task.MULTICLASS: "softmax", Task.REGRESSION: "identity"}


def two_columns(positive: Array) -> Array:
    """Probabilities of both classes from that of the second."""
    return np.column_stack([1.0 - positive, positive])


def softmax(raw: Array) -> Array:
    shifted = np.exp(raw - raw.max(axis=-1, keepdims=True))
    probabilities: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return probabilities


def sigmoid(raw: Array) -> Array:
    probabilities: Array = 0.5 * (1.0 + np.tanh(0.5 * raw))  # does not overflow
    return two_columns(probabilities)


def answers(task: Task, raw: Array) -> Array:
    """Raw scores (rows, outputs) to what an estimator predicts."""
    if task is Task.REGRESSION:
        return raw[:, 0]
    return sigmoid(raw[:, 0]) if task is Task.BINARY else softmax(raw)


@dataclass(frozen=True)
class LogTarget:
    """An estimator that learned log(1 + y)."""

    inner: Estimator

    @property
    def rounds(self) -> int:
        return self.inner.rounds

    @property
    def cut(self) -> bool:
        return self.inner.cut

    def predict(self, X: Array) -> Array:
        with np.errstate(over="ignore"):  # what is infinite fails the trial with a cause
            values: Array = np.expm1(self.inner.predict(X))
        return values

    def freeze(self) -> Fitted:
        return replace(self.inner.freeze(), link="expm1")
