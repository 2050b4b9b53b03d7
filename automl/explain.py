"""What a model looks at, and where it errs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from flowml.automl.contract import Feeds, rows_of, take
from flowml.automl.curves import calibration_curve, decisions, precision_recall, roc
from flowml.automl.metrics import METRICS, Array
from flowml.automl.threshold import decided
from flowml.storage.records import Importance, Json, Task, TrialRecord

MOST_CLASSES = 30  # shown in a confusion matrix
MOST_SCORED = 1_000  # classes that are scored by themselves, the most frequent ones
MOST_PAIRS = 40  # of classes that are taken for each other
MOST_CURVES = 10  # classes that get curves
MOST_POINTS = 500  # of the scatter of a regression
BINS = 20
FEWEST_ROWS, SPARED = 200, 0.8  # of those that are shuffled where time is short
BASELINE = "dummy"


def permutation_importance(
    predict: Callable[[Feeds], Array],
    feeds: Feeds,
    y: Array,
    metric: str,
    *,
    repeats: int = 5,
    seed: int = 0,
    deadline: float = float("inf"),
) -> tuple[Importance, ...]:
    """How much the score falls when one raw column is shuffled, most important column first.

    `predict` gives what the metric looks at. Every column is shuffled once before any is shuffled again; when
    time.monotonic() passes `deadline`, what is known is returned, and columns never reached are left out.
    Where all rows would take longer than that, fewer are shuffled, so that each column is reached.
    """
    measure, draw = METRICS[metric], np.random.default_rng(seed)
    began = time.monotonic()
    answers = predict(feeds)
    now = time.monotonic()
    kept = _affordable(y, (deadline - now) / max(1e-9, (now - began) * len(feeds)), draw)
    if kept is not None:
        feeds, y, answers = take(feeds, kept), y[kept], answers[kept]
    whole = measure.loss(measure.score(y, answers, None))
    falls: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name in feeds:
            if time.monotonic() > deadline:
                return _sorted(falls)
            order = draw.permutation(rows_of(feeds))
            shuffled = predict({**feeds, name: feeds[name][order]})
            falls.setdefault(name, []).append(measure.loss(measure.score(y, shuffled, None)) - whole)
    return _sorted(falls)


def _affordable(y: Array, share: float, draw: np.random.Generator) -> Array | None:
    """Rows to go on with where there is time for `share` of them; None: all, else a class would be missed."""
    if not 0 < share < 1:
        return None
    rows = np.sort(draw.permutation(len(y))[: max(FEWEST_ROWS, int(SPARED * share * len(y)))])
    whole = np.issubdtype(y.dtype, np.integer) and len(np.unique(y[rows])) < len(np.unique(y))
    return None if whole else rows


def _sorted(falls: dict[str, list[float]]) -> tuple[Importance, ...]:
    found = [Importance(name, float(np.mean(each)), float(np.std(each))) for name, each in falls.items()]
    return tuple(sorted(found, key=lambda one: -one.mean))


class Learned(Protocol):
    """What is asked of a problem: `problem.Problem` has it."""

    @property
    def task(self) -> Task: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def y(self) -> Array: ...


def diagnostics(
    problem: Learned, oof: Array, rows: Array | None = None, threshold: float | None = None
) -> Json:
    """Plain numbers for charts, from out-of-fold predictions. `rows`: those that they are about, if not all.
    `threshold`: from which a binary answer is the second class, if not the likelier one.

    Classification: rows, threshold, confusion {labels, counts, left_out} of the most frequent classes,
    confused [{actual, predicted, rows, share}], tangled {labels, counts, left_out} of the classes that are
    confused most, where not all are shown, classes [{label, support, precision, recall, f1}],
    curves [{label, roc {x, y, area}, precision_recall {x, y, area}, calibration {predicted, observed, count},
    decisions {threshold, hits, alarms, of, rest}}]. Regression: rows, residuals {mean, std, ...},
    histogram {edges, counts}, scatter {actual, predicted}; a residual is actual minus predicted.
    """
    y = problem.y if rows is None else problem.y[rows]
    known = np.isfinite(oof).reshape(len(oof), -1).all(axis=1)
    if problem.task is Task.REGRESSION:
        return _of_values(y[known], oof[known].ravel())
    return _of_classes(problem.classes, y[known], oof[known], threshold)


def baseline(oof: Array, records: Sequence[TrialRecord]) -> Json:
    """{score, prediction}: what a model without columns scores, and the mean of the champion's predictions.

    score is None where no baseline was tried; prediction is one number, or one for each class.
    """
    scores = [record.score for record in records if record.algorithm == BASELINE]
    known = oof[np.isfinite(oof).reshape(len(oof), -1).all(axis=1)]
    return {"score": scores[0] if scores else None, "prediction": known.mean(axis=0).tolist()}


def rounded(values: Any) -> Any:
    """Plain JSON with six digits of each number: enough to draw, and half as long."""
    if isinstance(values, dict):
        return {name: rounded(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [rounded(value) for value in values]
    if not isinstance(values, float):
        return values
    return float(f"{values:.6g}") if math.isfinite(values) else None


# --- classification ---------------------------------------------------------------------------------------


def _of_classes(classes: tuple[str, ...], y: Array, shares: Array, threshold: float | None) -> Json:
    answers = shares if threshold is None else decided(shares, threshold)
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (y, answers.argmax(axis=1)), 1)
    frequent = np.argsort(-counts.sum(axis=1), kind="stable")
    curved = [1] if len(classes) == 2 else np.sort(frequent[:MOST_CURVES]).tolist()
    pairs = _pairs(counts)
    told = {
        "rows": len(y),
        "threshold": threshold,
        "confusion": _matrix(classes, counts, frequent[:MOST_CLASSES]),
        "confused": [_pair(classes, counts, actual, predicted) for actual, predicted in pairs],
        "classes": [_of_class(classes[k], counts, k) for k in np.sort(frequent[:MOST_SCORED])],
        "curves": [
            _curves(classes[k], y == k, shares[:, k], threshold)
            for k in curved
            if 0 < (y == k).sum() < len(y)
        ],
    }
    if len(classes) > MOST_CLASSES and len(pairs):
        involved = np.array(list(dict.fromkeys(pairs.ravel().tolist())))
        told["tangled"] = _matrix(classes, counts, involved[:MOST_CLASSES])
    return told


def _matrix(classes: tuple[str, ...], counts: Array, chosen: Array) -> Json:
    shown = np.sort(chosen)
    return {
        "labels": [classes[k] for k in shown],
        "counts": counts[np.ix_(shown, shown)].tolist(),
        "left_out": len(classes) - len(shown),
    }


def _pairs(counts: Array) -> Array:
    """(actual, predicted) of the classes that are confused most often, those first."""
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]
    pairs = np.column_stack(np.divmod(order, len(counts)))
    met: Array = pairs[wrong[pairs[:, 0], pairs[:, 1]] > 0]
    return met


def _pair(classes: tuple[str, ...], counts: Array, actual: int, predicted: int) -> Json:
    rows = int(counts[actual, predicted])
    share = rows / int(counts[actual].sum())
    return {"actual": classes[actual], "predicted": classes[predicted], "rows": rows, "share": share}


def _of_class(label: str, counts: Array, k: int) -> Json:
    hits, support, named = int(counts[k, k]), int(counts[k].sum()), int(counts[:, k].sum())
    precision, recall = hits / named if named else 0.0, hits / support if support else 0.0
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return {"label": label, "support": support, "precision": precision, "recall": recall, "f1": f1}


def _curves(label: str, truth: Array, share: Array, threshold: float | None) -> Json:
    return {
        "label": label,
        "roc": roc(truth, share),
        "precision_recall": precision_recall(truth, share),
        "calibration": calibration_curve(truth, share),
        "decisions": decisions(truth, share, 0.5 if threshold is None else threshold),
    }


# --- regression -------------------------------------------------------------------------------------------


def _of_values(y: Array, predicted: Array) -> Json:
    residual = y - predicted
    spread = float(((y - y.mean()) ** 2).sum())
    counts, edges = np.histogram(residual, BINS)
    step = max(1, -(-len(y) // MOST_POINTS))
    return {
        "rows": len(y),
        "residuals": {
            "mean": float(residual.mean()),
            "std": float(residual.std()),
            "mae": float(abs(residual).mean()),
            "rmse": float(np.sqrt((residual**2).mean())),
            "r2": 1 - float((residual**2).sum()) / spread if spread else None,
            "quantiles": {str(q): float(np.quantile(residual, q)) for q in (0.05, 0.25, 0.5, 0.75, 0.95)},
        },
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "scatter": {"actual": y[::step].tolist(), "predicted": predicted[::step].astype(float).tolist()},
    }
