"""Curves of one class against the rest, as few points that plot like all."""

from __future__ import annotations

import numpy as np

from flowml.automl.metrics import Array
from flowml.storage.records import Json

MOST_POINTS = 200
BINS = 10


def _counted(truth: Array, share: Array) -> tuple[Array, Array]:
    """How many are right and how many wrong among those at or above each share that occurs, highest first."""
    order = np.argsort(-share, kind="stable")
    last = np.append(np.flatnonzero(np.diff(share[order])), len(order) - 1)
    hits = np.cumsum(truth[order])[last]
    return hits, last + 1 - hits


def roc(truth: Array, share: Array) -> Json:
    """x: share of the rest that is taken for the class; y: share of the class that is found."""
    hits, misses = _counted(truth, share)
    x, y = np.append(0.0, misses / misses[-1]), np.append(0.0, hits / hits[-1])
    return {**_thinned(x, y), "area": float(np.trapezoid(y, x))}


def precision_recall(truth: Array, share: Array) -> Json:
    """x: share of the class that is found; y: share of the found that is right. The area sums steps."""
    hits, misses = _counted(truth, share)
    recall, precision = hits / hits[-1], hits / (hits + misses)
    area = float((np.diff(np.append(0.0, recall)) * precision).sum())
    return {**_thinned(np.append(0.0, recall), np.append(precision[0], precision)), "area": area}


def calibration_curve(truth: Array, share: Array) -> Json:
    """Rows in order of their share, cut into equal parts: what was predicted, and what came true."""
    parts = np.array_split(np.argsort(share, kind="stable"), min(BINS, len(share)))
    return {
        "predicted": [float(share[part].mean()) for part in parts],
        "observed": [float(truth[part].mean()) for part in parts],
        "count": [len(part) for part in parts],
    }


def _thinned(x: Array, y: Array) -> Json:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).round().astype(int))
    return {"x": x[kept].tolist(), "y": y[kept].tolist()}
