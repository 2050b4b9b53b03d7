"""The probability from which a binary answer is the second class, for metrics that look at labels.

On unbalanced classes hardly any probability passes one half, and metrics such as F1 then see no model at all.
The threshold is found on out-of-fold predictions; that of one half is kept unless another one is better.
"""

from __future__ import annotations

import numpy as np

from flowml.automl.metrics import METRICS, Array, Weights

THRESHOLDED = ("f1", "f1_macro", "f1_weighted", "balanced_accuracy", "mcc")  # accuracy is best served by 0.5
HALF = 0.5
STEPS = 101  # thresholds that are tried
NEIGHBOURS = 2  # on each side, whose mean stands for a threshold: a single peak is luck
MOST_ROWS = 50_000


def has_threshold(metric: str, prediction: Array) -> bool:
    """Whether a threshold makes sense for such predictions: (n, 2) probabilities and a metric of labels."""
    return metric in THRESHOLDED and prediction.ndim == 2 and prediction.shape[1] == 2


def best_threshold(metric: str, y: Array, prediction: Array, weights: Weights) -> float:
    """For (n, 2) probabilities. Thresholds lie between neighbours of the quantiles of what was predicted."""
    chosen = slice(None, None, -(-len(y) // MOST_ROWS))
    y, prediction = y[chosen], prediction[chosen]
    weights = None if weights is None else weights[chosen]
    found = np.unique(np.quantile(prediction[:, 1].astype(np.float64), np.linspace(0, 1, STEPS)))
    if len(found) < 2:
        return HALF
    tried = (found[1:] + found[:-1]) / 2
    row = METRICS[metric]
    losses = np.array([row.loss(row.score(y, decided(prediction, float(t)), weights)) for t in tried])
    smooth = smoothed(losses)
    best = int(np.argmin(smooth))
    half = row.loss(row.score(y, decided(prediction, HALF), weights))
    return HALF if half <= smooth[best] else float(tried[best])


def decided(prediction: Array, threshold: float) -> Array:
    """Certain predictions (n, 2): of the second class from the threshold on."""
    second = (prediction[:, 1] >= threshold).astype(np.float64)
    labels: Array = np.column_stack([1.0 - second, second])
    return labels


def smoothed(losses: Array) -> Array:
    """The mean of each with its neighbours; at the ends with those that are there."""
    kernel = np.ones(2 * NEIGHBOURS + 1)
    counts = np.convolve(np.ones(len(losses)), kernel, mode="same")
    means: Array = np.convolve(losses, kernel, mode="same") / counts
    return means
