"""Gaussian naive Bayes: columns count on their own, numbers by a bell for each class, flags by their shares.

Columns that say the same thing make it far too sure. So the evidence of all columns together is tempered by
one number, fitted on the rows that it learned from; a few dozen parameters hardly overfit them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from flowml.automl.algorithms import choices, squash
from flowml.automl.algorithms.links import LINKS, answers
from flowml.automl.algorithms.losses import validation_loss
from flowml.automl.algorithms.row import Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.fitted import Arrays, Fitted, pack
from flowml.automl.metrics import CLASSIFICATION, Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

CHUNK = 20_000  # rows that are scored at once
TEMPERED_ON = 5_000  # rows,
TEMPERED_CELLS = 2_000_000  # fewer of them where there are many classes
TRUSTS = np.geomspace(1.0, 0.003, 25)


@dataclass(frozen=True)
class Bayes:
    arrays: Arrays
    task: Task
    rounds: int = 0
    cut: bool = False

    def predict(self, X: Array) -> Array:
        return answers(self.task, raw_scores(self.arrays, X))

    def freeze(self) -> Fitted:
        outputs = len(self.arrays["intercept"])
        return Fitted("quadratic", LINKS[self.task], pack(self.arrays), outputs)


def raw_scores(arrays: Arrays, X: Array) -> Array:
    """Counted in double from what the file holds."""
    curve, slope = arrays["curve"].astype(np.float64), arrays["slope"].astype(np.float64)
    pieces = [np.zeros((0, len(arrays["intercept"])))]
    for start in range(0, len(X), CHUNK):
        Z = squash.apply(arrays, X[start : start + CHUNK])
        pieces.append((Z * Z) @ curve + Z @ slope + arrays["intercept"])
    scores: Array = np.concatenate(pieces)
    return scores


def fit(fold: FoldTable, params: Json, _context: FitContext) -> Bayes:
    scaling = squash.learn(fold.X)
    flags = ((fold.X == 0) | (fold.X == 1)).all(axis=0)
    counts, means, variances = _moments(fold, squash.apply(scaling, fold.X))
    terms = _terms(counts, means, variances, flags, float(params["smoothing"]))
    logs = np.log((counts + 0.5) / (counts + 0.5).sum())
    if fold.task is Task.BINARY:
        terms, logs = [term[..., 1:] - term[..., :1] for term in terms], logs[1:] - logs[:1]
    curve, slope, intercept = terms
    found = scaling | {
        "curve": curve.astype(np.float32),
        "slope": slope.astype(np.float32),
        "intercept": intercept,
    }
    trust = _trust(fold, found, logs)
    tempered = {name: found[name] * np.float32(trust) for name in ("curve", "slope")}
    return Bayes(found | tempered | {"intercept": intercept * trust + logs}, fold.task)


def _moments(fold: FoldTable, Z: Array) -> tuple[Array, Array, Array]:
    """For each class the weight of its rows, and of its columns (columns, classes) mean and variance.

    A class without rows has those of all rows.
    """
    weights = np.ones(len(Z)) if fold.weights is None else fold.weights / np.mean(fold.weights)
    order = np.argsort(fold.y, kind="stable")
    seen, starts = np.unique(fold.y[order], return_index=True)
    weighted = Z[order] * weights[order, None]
    counts = np.bincount(fold.y, weights=weights, minlength=fold.outputs)
    known = np.maximum(counts[seen], 1e-12)[:, None]
    sums, squares = np.add.reduceat(weighted, starts), np.add.reduceat(weighted * Z[order], starts)
    means = np.repeat(sums.sum(axis=0)[None] / weights.sum(), fold.outputs, axis=0)
    variances = np.repeat(squares.sum(axis=0)[None] / weights.sum(), fold.outputs, axis=0) - means**2
    overall = variances[:1].copy()
    means[seen] = sums / known
    variances[seen] = np.maximum(squares / known - means[seen] ** 2, 0.0)
    return counts, means.T, np.vstack([variances, overall]).T


def _terms(counts: Array, means: Array, variances: Array, flags: Array, smoothing: float) -> list[Array]:
    """`curve` and `slope` (columns, classes) and `intercept`: the logarithm of how likely a row is."""
    overall = variances[:, -1:]
    spread = variances[:, :-1] + smoothing * overall + 1e-9
    curve, slope = -0.5 / spread, means / spread
    heights = -0.5 * (means**2 / spread + np.log(spread))
    if flags.any():
        one = squash.FLAG
        share = means[flags] / one
        shares = (share * counts + share.mean(axis=1, keepdims=True)) / (counts + 1.0)
        logs = [np.log(np.clip(part, 1e-6, 1.0)) for part in (shares, 1.0 - shares)]
        curve[flags], slope[flags], heights[flags] = 0.0, (logs[0] - logs[1]) / one, logs[1]
    return [curve, slope, heights.sum(axis=0)]


def _trust(fold: FoldTable, arrays: Arrays, logs: Array) -> float:
    """The share of the evidence with which some of the rows are told best."""
    most = max(100, min(TEMPERED_ON, TEMPERED_CELLS // fold.outputs))
    some = slice(None, None, -(-len(fold.y) // most))
    evidence = raw_scores(arrays, fold.X[some])
    weights = None if fold.weights is None else fold.weights[some]
    checked = replace(fold, y_valid=fold.y[some], weights_valid=weights)
    losses = [validation_loss(checked, evidence * trust + logs) for trust in TRUSTS]
    return float(TRUSTS[int(np.argmin(losses))])


# --- row --------------------------------------------------------------------------------------------------


def space(trial: Space, shape: Shape) -> Json:
    return {
        "smoothing": trial.suggest_float("smoothing", 1e-3, 1.0, log=True),
        **choices.means_where_they_pay(shape, "onehot"),
    }


def defaults(shape: Shape) -> Json:
    return {"smoothing": 0.05, **choices.means_where_they_pay(shape, "onehot")}


def cost(shape: Shape, _params: Json) -> Cost:
    """Fitted to measured times over rows, columns and classes."""
    rows, columns, outputs = shape.train_rows, shape.onehot_columns, shape.outputs
    scored = shape.valid_rows + min(rows, TEMPERED_ON)
    seconds = 0.003 + 3e-8 * rows * columns + scored * outputs * (3e-10 * columns + 6e-8)
    return Cost(seconds, 40.0 * rows * columns + 24.0 * columns * max(1, shape.classes))


GAUSSIAN_NB = Algorithm(
    key="gaussian_nb",
    label="Gaussian naive Bayes",
    family="bayes",
    package="numpy",
    tasks=CLASSIFICATION,
    encoding="onehot",
    format="quadratic",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    log_target=False,
)
