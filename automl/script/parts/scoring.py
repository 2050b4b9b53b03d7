"""What happens to predictions before they are scored."""

from __future__ import annotations

import numpy as np

from flowml.automl.calibration import GOLDEN, HIGH, LEAST_GAIN, LOW
from flowml.automl.metrics import Array, Score, Weights
from flowml.automl.script.parts.folds import Pairs
from flowml.automl.threshold import decided, smoothed


def calibrated(prediction: Array, y: Array, weights: Weights, score: Score, seed: int) -> Array:
    """As sure as suits these rows, where that helps on rows that it was not fitted on."""
    if len(y) < 100:
        return prediction
    most = max(100, min(10_000, 1_000_000 // prediction.shape[1]))
    some = slice(None, None, -(-len(y) // most))
    p, truth, w = prediction[some], y[some], None if weights is None else weights[some]

    def loss(rows: Array, temperature: float) -> float:
        return score(truth[rows], tempered(p[rows], temperature), None if w is None else w[rows])

    def best(rows: Array) -> float:
        low, high = np.log(LOW), np.log(HIGH)
        for _ in range(14):
            left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            lower = loss(rows, float(np.exp(left))) < loss(rows, float(np.exp(right)))
            low, high = (low, right) if lower else (left, high)
        return float(np.exp((low + high) / 2))

    half = np.random.default_rng(seed).permutation(len(truth)) % 2 == 0
    before = loss(half, 1.0) + loss(~half, 1.0)
    after = loss(~half, best(half)) + loss(half, best(~half))
    return prediction if after > before * (1 - LEAST_GAIN) else tempered(prediction, best(half | True))


def tempered(prediction: Array, temperature: float) -> Array:
    """Less sure by a temperature above 1."""
    powers = np.clip(prediction.astype(np.float64), 1e-6, 1 - 1e-6) ** (1 / temperature)
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def by_threshold(prediction: Array, y: Array, weights: Weights, score: Score) -> Array:
    """Labels of two classes, by the threshold that suits these rows; one half unless another is better."""
    some = slice(None, None, -(-len(y) // 50_000))
    p, truth, w = prediction[some], y[some], None if weights is None else weights[some]
    found = np.unique(np.quantile(p[:, 1].astype(np.float64), np.linspace(0, 1, 101)))
    tried = (found[1:] + found[:-1]) / 2
    means = smoothed(np.array([-score(truth, decided(p, float(t)), w) for t in tried]))
    half = -score(truth, decided(p, 0.5), w)
    better = len(tried) and half > means.min()
    return decided(prediction, float(tried[np.argmin(means)]) if better else 0.5)


def gathered(folds: Pairs, predictions: list[Array], rows: int) -> tuple[Array, Array]:
    """The mean prediction of each row that was checked, and which rows these are."""
    total, seen = np.zeros((rows, *predictions[0].shape[1:])), np.zeros(rows)
    for (_, valid), prediction in zip(folds, predictions, strict=True):
        total[valid] += prediction
        seen[valid] += 1
    checked = np.flatnonzero(seen)
    return total[checked] / seen[checked].reshape(-1, *[1] * (total.ndim - 1)), checked
