"""Curves of one class against the rest, as few points that plot like all."""

from __future__ import annotations

import numpy as np

from flowml.automl.metrics import Array
from flowml.storage.records import Json

MOST_POINTS = 200
MOST_THRESHOLDS = 120
BINS = 10


def _counted(truth: Array, share: Array) -> tuple[Array, Array]:
    """How many are right and how many wrong among those at or above each share that occurs, highest first."""
    order = np.argsort(-share, kind="stable")
    last = np.append(np.flatnonzero(np.diff(share[order])), len(order) - 1)
    hits = np.cumsum(truth[order])[last]
    return hits, last + 1 - hits


def roc(truth: Array, share: Array, most: int = MOST_POINTS) -> Json:
    """x: share of the rest that is taken for the class; y: share of the class that is found."""
    hits, misses = _counted(truth, share)
    x, y = np.append(0.0, misses / misses[-1]), np.append(0.0, hits / hits[-1])
    return {**_thinned(x, y, most), "area": float(np.trapezoid(y, x))}


def precision_recall(truth: Array, share: Array, most: int = MOST_POINTS) -> Json:
    """x: share of the class that is found; y: share of the found that is right. The area sums steps."""
    hits, misses = _counted(truth, share)
    recall, precision = hits / hits[-1], hits / (hits + misses)
    area = float((np.diff(np.append(0.0, recall)) * precision).sum())
    return {**_thinned(np.append(0.0, recall), np.append(precision[0], precision), most), "area": area}


def calibration_curve(truth: Array, share: Array) -> Json:
    """Rows in order of their share, cut into equal parts: what was predicted, and what came true."""
    parts = np.array_split(np.argsort(share, kind="stable"), min(BINS, len(share)))
    return {
        "predicted": [float(share[part].mean()) for part in parts],
        "observed": [float(truth[part].mean()) for part in parts],
        "count": [len(part) for part in parts],
    }


def decisions(truth: Array, share: Array, threshold: float = 0.5) -> Json:
    """What each threshold would do: threshold, hits (rows of the class from it on), alarms (rows of the rest
    from it on), highest threshold first; of, rest: how many rows there are of each.

    A threshold lies in the middle between two shares that occur, so that rounding it changes no row. Half of
    those told follow the rows, half the rows of the class, which may be few; `threshold` is told as it is.
    """
    hits, alarms = _counted(truth, share)
    met = np.unique(share)[::-1].astype(np.float64)
    between = np.append((met[1:] + met[:-1]) / 2, 0.0)
    by_class = np.searchsorted(hits, np.linspace(1, hits[-1], MOST_THRESHOLDS // 2))
    own = np.flatnonzero(met >= threshold)[-1:]
    between[own] = np.minimum(between[own], threshold)
    kept = np.unique(np.concatenate([_even(len(met), MOST_THRESHOLDS // 2), by_class, own]))
    return {
        "threshold": between[kept].tolist(),
        "hits": hits[kept].astype(int).tolist(),
        "alarms": alarms[kept].astype(int).tolist(),
        "of": int(hits[-1]),
        "rest": int(alarms[-1]),
    }


def error_curve(errors: Array, most: int = MOST_POINTS) -> Json:
    """x: size of an error; y: share of the rows whose error is no larger."""
    y = np.linspace(0.0, 1.0, min(most, len(errors)))
    return {"x": np.quantile(abs(errors), y).tolist(), "y": y.tolist()}


def _thinned(x: Array, y: Array, most: int) -> Json:
    kept = _even(len(x), most)
    return {"x": x[kept].tolist(), "y": y[kept].tolist()}


def _even(length: int, most: int) -> Array:
    places: Array = np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(int))
    return places
