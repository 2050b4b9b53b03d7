"""One number that makes probabilities more or less sure, fitted on out-of-fold predictions.

A temperature (Guo, Pleiss, Sun, Weinberger 2017) is fitted for each trial, since a forest of many classes is
far less sure than it could be, and would only blur an ensemble; and once more for a blend.
"""

from __future__ import annotations

import numpy as np

from flowml.automl.metrics import METRICS, Array, Weights
from flowml.automl.onnx.steps import Step
from flowml.storage.records import Task

CALIBRATED = ("log_loss", "brier")  # metrics that look at how sure a probability is
LOW, HIGH = 0.1, 5.0
LEAST_ROWS = 100
MOST_ROWS = 10_000  # that a temperature is fitted on,
MOST_PROBABILITIES = 1_000_000  # fewer of them where there are many classes
LEAST_GAIN = 0.001  # of the loss, on rows that the temperature was not fitted on
GOLDEN = (np.sqrt(5) - 1) / 2


def temperature_step(
    task: Task, metric: str, oof: Array, y: Array, weights: Weights, seed: int
) -> Step | None:
    """A temperature that lowers the loss on rows it was not fitted on, or None if there is none."""
    if metric not in CALIBRATED or len(y) < LEAST_ROWS:
        return None
    most = max(LEAST_ROWS, min(MOST_ROWS, MOST_PROBABILITIES // oof.shape[1]))
    some = slice(None, None, -(-len(y) // most))
    oof, y, weights = oof[some], y[some], None if weights is None else weights[some]
    half = np.random.default_rng(seed).permutation(len(y)) % 2 == 0
    before = after = 0.0
    for fit, check in ((half, ~half), (~half, half)):
        found = _best(task, metric, oof, y, weights, fit)
        before += _loss(task, metric, oof, y, weights, check, 1.0)
        after += _loss(task, metric, oof, y, weights, check, found)
    if after > before * (1 - LEAST_GAIN):
        return None
    return _step(_best(task, metric, oof, y, weights, np.ones(len(y), bool)))


def applied(task: Task, oof: Array, step: Step) -> Array:
    """Predictions after a step, which sees one column of a binary task or of a regression."""
    if task is Task.REGRESSION:
        return step.apply(oof.astype(np.float64).reshape(-1, 1))[:, 0]
    if task is Task.MULTICLASS:
        return step.apply(oof.astype(np.float64))
    positive = step.apply(oof[:, 1:].astype(np.float64))
    return np.concatenate([1 - positive, positive], axis=1)


def _step(temperature: float) -> Step:
    return Step("temperature", {"temperature": temperature})


def _loss(
    task: Task, metric: str, oof: Array, y: Array, weights: Weights, rows: Array, temperature: float
) -> float:
    prediction = applied(task, oof[rows], _step(temperature))
    return METRICS[metric].score(y[rows], prediction, None if weights is None else weights[rows])


def _best(task: Task, metric: str, oof: Array, y: Array, weights: Weights, rows: Array) -> float:
    """The golden section of the logarithm of the temperature; both metrics have one valley in it."""
    low, high = np.log(LOW), np.log(HIGH)
    for _ in range(14):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        losses = [_loss(task, metric, oof, y, weights, rows, float(np.exp(t))) for t in (left, right)]
        low, high = (low, right) if losses[0] < losses[1] else (left, high)
    return float(np.exp((low + high) / 2))
