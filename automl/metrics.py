"""METRICS: one row each. A prediction is (n, K) class probabilities or (n,) values; y is codes or values.

The direction stands in the row and the score is shown as it is: no negated twins. Labels are the most
probable class; `f1`, `average_precision` and binary `roc_auc` look at the second class as the positive one.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.storage.errors import SpecError
from flowml.storage.records import Task

Array = npt.NDArray[Any]
Weights = Array | None
Score = Callable[[Array, Array, Weights], float]

BINARY = frozenset({Task.BINARY})
CLASSIFICATION = frozenset({Task.BINARY, Task.MULTICLASS})
REGRESSION = frozenset({Task.REGRESSION})

TINY = 1e-15


@dataclass(frozen=True)
class Metric:
    key: str
    label: str
    tasks: frozenset[Task]
    direction: str  # maximize or minimize
    needs: str  # probabilities, labels or values
    score: Score
    domain: str = "any"  # of the target: any, non_negative or non_zero

    def loss(self, score: float) -> float:
        """The score turned so that less is better."""
        return -score if self.direction == "maximize" else score

    def better(self, score: float, than: float | None) -> bool:
        return than is None or self.loss(score) < self.loss(than)


def _mean(values: Array, weights: Weights) -> float:
    return float(np.mean(values) if weights is None else np.average(values, weights=weights))


def labels_of(prediction: Array) -> Array:
    labels: Array = np.argmax(prediction, axis=1)
    return labels


# --- ranking ----------------------------------------------------------------------------------------------


def _ranked(positive: Array, scores: Array, weights: Weights) -> tuple[Array, Array]:
    """Cumulated weight of positives and of negatives at each distinct score, highest score first."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    weight = np.ones(len(order)) if weights is None else weights[order]
    hit = positive[order] * weight
    return np.cumsum(hit)[last], np.cumsum(weight - hit)[last]


def _auc(positive: Array, scores: Array, weights: Weights) -> float:
    true, false = _ranked(positive, scores, weights)
    if true[-1] <= 0 or false[-1] <= 0:
        return float("nan")
    area = np.trapezoid(np.append(0.0, true), np.append(0.0, false))
    return float(area / (true[-1] * false[-1]))


def auc_of_each(positive: Array, scores: Array) -> Array:
    """The ROC AUC of each row of scores, by ranks; both classes occur, and all samples weigh the same."""
    order = np.argsort(-scores, axis=1)
    ordered = np.take_along_axis(scores, order, axis=1)
    hits = np.count_nonzero(positive)
    pairs = hits * (len(positive) - hits)
    above = positive[order] @ np.arange(len(positive)) - hits * (hits - 1) // 2  # negatives above positives
    found: Array = (pairs - above) / pairs
    for row in np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1)):
        found[row] = _auc(positive, scores[row], None)
    return found


def _precision(positive: Array, scores: Array, weights: Weights) -> float:
    true, false = _ranked(positive, scores, weights)
    if true[-1] <= 0:
        return float("nan")
    gains = np.diff(np.append(0.0, true))
    return float(np.sum(gains * true / (true + false)) / true[-1])


def _one_vs_rest(score: Score) -> Score:
    """Of the positive class if there are two, else the mean over the classes that occur."""

    def mean(y: Array, prediction: Array, weights: Weights) -> float:
        if prediction.shape[1] == 2:
            return score(y == 1, prediction[:, 1], weights)
        each = [
            score(y == k, prediction[:, k], weights) for k in range(prediction.shape[1]) if (y == k).any()
        ]
        known = [value for value in each if np.isfinite(value)]
        return float(np.mean(known)) if known else float("nan")

    return mean


# --- probabilities ----------------------------------------------------------------------------------------


def _log_loss(y: Array, prediction: Array, weights: Weights) -> float:
    total = prediction.sum(axis=1)
    chosen = prediction[np.arange(len(y)), y] / np.maximum(total, TINY)
    return _mean(-np.log(np.clip(chosen.astype(np.float64), TINY, 1.0)), weights)


def _brier(y: Array, prediction: Array, weights: Weights) -> float:
    """Of the positive class if there are two, else summed over classes."""
    if prediction.shape[1] == 2:
        return _mean((prediction[:, 1] - (y == 1)) ** 2, weights)
    truth = np.eye(prediction.shape[1])[y]
    return _mean(((prediction - truth) ** 2).sum(axis=1), weights)


# --- labels -----------------------------------------------------------------------------------------------


def confusion(y: Array, labels: Array, classes: int, weights: Weights = None) -> Array:
    """Rows are true classes, columns are predicted ones."""
    flat = np.bincount(y * classes + labels, weights=weights, minlength=classes * classes)
    return flat.reshape(classes, classes)


def _confused(y: Array, prediction: Array, weights: Weights) -> Array:
    classes = prediction.shape[1]
    return confusion(y, labels_of(prediction), classes, weights).astype(np.float64)


def _accuracy(y: Array, prediction: Array, weights: Weights) -> float:
    return _mean(labels_of(prediction) == y, weights)


def _balanced_accuracy(y: Array, prediction: Array, weights: Weights) -> float:
    table = _confused(y, prediction, weights)
    size = table.sum(axis=1)
    return float(np.mean(np.diag(table)[size > 0] / size[size > 0]))


def _f1_by_class(table: Array) -> Array:
    both = table.sum(axis=0) + table.sum(axis=1)
    score: Array = np.divide(2 * np.diag(table), both, out=np.zeros(len(table)), where=both > 0)
    return score


def _f1(y: Array, prediction: Array, weights: Weights) -> float:
    return float(_f1_by_class(_confused(y, prediction, weights))[1])


def _f1_macro(y: Array, prediction: Array, weights: Weights) -> float:
    table = _confused(y, prediction, weights)
    occurs = (table.sum(axis=0) + table.sum(axis=1)) > 0
    return float(_f1_by_class(table)[occurs].mean())


def _f1_weighted(y: Array, prediction: Array, weights: Weights) -> float:
    table = _confused(y, prediction, weights)
    return float(np.average(_f1_by_class(table), weights=table.sum(axis=1)))


def _mcc(y: Array, prediction: Array, weights: Weights) -> float:
    table = _confused(y, prediction, weights)
    true, predicted, total = table.sum(axis=1), table.sum(axis=0), table.sum()
    above = np.trace(table) * total - true @ predicted
    below = (total**2 - predicted @ predicted) * (total**2 - true @ true)
    return float(above / np.sqrt(below)) if below > 0 else 0.0


# --- values -----------------------------------------------------------------------------------------------


def _rmse(y: Array, prediction: Array, weights: Weights) -> float:
    return float(np.sqrt(_mean((y - prediction) ** 2, weights)))


def _mae(y: Array, prediction: Array, weights: Weights) -> float:
    return _mean(np.abs(y - prediction), weights)


def _median_ae(y: Array, prediction: Array, weights: Weights) -> float:
    errors = np.abs(y - prediction)
    if weights is None:
        return float(np.median(errors))
    order = np.argsort(errors)
    reached = np.cumsum(weights[order])
    return float(errors[order][np.searchsorted(reached, reached[-1] / 2)])


def _mape(y: Array, prediction: Array, weights: Weights) -> float:
    return _mean(np.abs(y - prediction) / np.abs(y), weights)


def _smape(y: Array, prediction: Array, weights: Weights) -> float:
    """Between 0 and 2; a pair of zeros has no error."""
    size = np.abs(y) + np.abs(prediction)
    share = np.divide(2 * np.abs(y - prediction), size, out=np.zeros(len(y)), where=size > 0)
    return _mean(share, weights)


def _r2(y: Array, prediction: Array, weights: Weights) -> float:
    spread = _mean((y - _mean(y, weights)) ** 2, weights)
    return 1.0 - _mean((y - prediction) ** 2, weights) / spread if spread > 0 else float("nan")


def _poisson(y: Array, prediction: Array, weights: Weights) -> float:
    positive = np.maximum(prediction, 1e-9)  # a predicted count of 0 or less would cost infinitely much
    logs = np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0) / positive), 0.0)
    return 2 * _mean(logs - y + positive, weights)


UP, DOWN = "maximize", "minimize"
SOFT, HARD, VALUES = "probabilities", "labels", "values"

METRICS: dict[str, Metric] = {
    row.key: row
    for row in (
        Metric("roc_auc", "ROC AUC", CLASSIFICATION, UP, SOFT, _one_vs_rest(_auc)),
        Metric("average_precision", "Average precision", CLASSIFICATION, UP, SOFT, _one_vs_rest(_precision)),
        Metric("log_loss", "Log loss", CLASSIFICATION, DOWN, SOFT, _log_loss),
        Metric("brier", "Brier score", CLASSIFICATION, DOWN, SOFT, _brier),
        Metric("accuracy", "Accuracy", CLASSIFICATION, UP, HARD, _accuracy),
        Metric("balanced_accuracy", "Balanced accuracy", CLASSIFICATION, UP, HARD, _balanced_accuracy),
        Metric("f1", "F1", BINARY, UP, HARD, _f1),
        Metric("f1_macro", "F1, mean over classes", CLASSIFICATION, UP, HARD, _f1_macro),
        Metric("f1_weighted", "F1, weighted by class size", CLASSIFICATION, UP, HARD, _f1_weighted),
        Metric("mcc", "Matthews correlation", CLASSIFICATION, UP, HARD, _mcc),
        Metric("rmse", "RMSE", REGRESSION, DOWN, VALUES, _rmse),
        Metric("mae", "Mean absolute error", REGRESSION, DOWN, VALUES, _mae),
        Metric("median_ae", "Median absolute error", REGRESSION, DOWN, VALUES, _median_ae),
        Metric("mape", "Mean absolute percentage error", REGRESSION, DOWN, VALUES, _mape, "non_zero"),
        Metric("smape", "Symmetric percentage error", REGRESSION, DOWN, VALUES, _smape),
        Metric("r2", "R²", REGRESSION, UP, VALUES, _r2),
        Metric("poisson_deviance", "Poisson deviance", REGRESSION, DOWN, VALUES, _poisson, "non_negative"),
    )
}

DEFAULT_METRIC = {Task.BINARY: "roc_auc", Task.MULTICLASS: "log_loss", Task.REGRESSION: "rmse"}


def metric_for(key: str, task: Task) -> Metric:
    """The row for a key; `auto` and empty give the default of the task."""
    if key in ("auto", ""):
        return METRICS[DEFAULT_METRIC[task]]
    fitting = [row.key for row in METRICS.values() if task in row.tasks]
    if key in fitting:
        return METRICS[key]
    near = difflib.get_close_matches(key, fitting, n=1)
    advice = f"Did you mean {near[0]!r}? " if near else ""
    wrong = (
        f"The metric {key!r} is not for {task.value} tasks." if key in METRICS else f"Unknown metric {key!r}."
    )
    raise SpecError(wrong, f"{advice}Metrics of this task: {', '.join(fitting)}.")
