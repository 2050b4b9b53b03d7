"""A greedy weighted ensemble on out-of-fold predictions (Caruana, Niculescu-Mizil, Crew, Ksikes 2004).

Models are added with replacement, each time the one that makes the mean best; counts become weights. The
weights of the best mean on the way are kept, and those too small to matter are dropped.

Weights chosen on the very rows that they are scored on flatter themselves, so the score of an ensemble is
also measured crosswise: weights from one half of the rows, scored on the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flowml.automl.metrics import METRICS, TINY, Array, Weights, auc_of_each
from flowml.automl.threshold import best_threshold, decided, has_threshold

ROUNDS = 40
MOST_MEMBERS = 40  # that are considered, the best by themselves
SLOW_ROWS = 20_000  # metrics that sort are judged on a sample of this size
EXACT_ROWS = 1_500  # up to here ROC AUC is found by sorting
SMALLEST = 0.02  # weights below this are dropped
Judge = Callable[[Array, int], Array]
FAST = ("log_loss", "rmse", "r2", "roc_auc")  # metrics with a shortcut below
STEPS = 2**14  # of probability, by which many rows are ranked
PATIENCE = 12  # additions without a gain


@dataclass(frozen=True)
class Ensemble:
    weights: Array  # one per candidate, most of them 0; their sum is 1
    score: float  # on the rows that the weights were chosen on
    crosswise: float  # by weights chosen on other rows
    single_crosswise: float  # of the best candidate alone, chosen on other rows

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(int(i) for i in np.flatnonzero(self.weights))


@dataclass(frozen=True)
class _Table:
    """Predictions of all candidates: (candidates, rows, classes) or (candidates, rows)."""

    parts: Array
    y: Array
    weights: Weights
    metric: str

    def rows(self, chosen: Array) -> _Table:
        weights = None if self.weights is None else self.weights[chosen]
        return _Table(self.parts[:, chosen], self.y[chosen], weights, self.metric)

    def blend(self, weights: Array) -> Array:
        blended: Array = np.tensordot(weights, self.parts, axes=1)
        return blended

    def threshold(self, prediction: Array) -> float | None:
        """From which a binary answer is the second class, where the metric looks at labels."""
        if not has_threshold(self.metric, prediction):
            return None
        return best_threshold(self.metric, self.y, prediction, self.weights)

    def loss(self, prediction: Array, threshold: float | None = None) -> float:
        metric = METRICS[self.metric]
        answer = prediction if threshold is None else decided(prediction, threshold)
        return metric.loss(metric.score(self.y, answer, self.weights))

    def own_loss(self, prediction: Array) -> float:
        """With the threshold that these very rows ask for."""
        return self.loss(prediction, self.threshold(prediction))


def combine(
    parts: Sequence[Array], y: Array, weights: Weights, metric: str, seed: int, deadline_s: float = 30.0
) -> Ensemble:
    """Weights for candidates from their out-of-fold predictions, in about the time given."""
    end = time.monotonic() + deadline_s
    table = _Table(np.stack([part.astype(np.float32) for part in parts]), y, weights, metric)
    whole = _greedy(_sample(table, seed), end - 0.5 * deadline_s)
    ours, alone = [], []
    for fit, check in _crossings(y, seed):
        learned, checked = _sample(table.rows(fit), seed), table.rows(check)
        weights_of_half = _greedy(learned, end)
        threshold = learned.threshold(learned.blend(weights_of_half))
        ours.append(checked.loss(checked.blend(weights_of_half), threshold))
        best = np.nanargmin([learned.own_loss(part) for part in learned.parts])
        alone.append(checked.loss(checked.parts[best], learned.threshold(learned.parts[best])))
    row = METRICS[metric]
    score = row.loss(table.own_loss(table.blend(whole)))
    return Ensemble(whole, score, row.loss(float(np.mean(ours))), row.loss(float(np.mean(alone))))


def weights_of(
    parts: Sequence[Array], y: Array, weights: Weights, metric: str, seed: int, end: float
) -> Array:
    """The greedy weights alone. `end` is on the clock of time.monotonic."""
    table = _Table(np.stack([part.astype(np.float32) for part in parts]), y, weights, metric)
    return _greedy(_sample(table, seed), end)


def _crossings(y: Array, seed: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Two halves of the rows alike in their targets, each to fit on and the other to check on."""
    shuffled = np.random.default_rng(seed).permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    first, second = np.sort(order[::2]), np.sort(order[1::2])
    return (first, second), (second, first)


def _sample(table: _Table, seed: int) -> _Table:
    """Few enough rows to judge often."""
    most = 10 * SLOW_ROWS if table.metric in FAST else SLOW_ROWS
    if len(table.y) <= most:
        return table
    return table.rows(np.sort(np.random.default_rng(seed).choice(len(table.y), most, replace=False)))


# --- greedy -----------------------------------------------------------------------------------------------


def _greedy(table: _Table, end: float) -> Array:
    """Weights of the best mean on the way of ROUNDS additions, or of as many as time allows."""
    count = len(table.parts)
    alone = np.array([table.own_loss(part) for part in table.parts])
    known = np.flatnonzero(np.isfinite(alone))
    pool = known[np.argsort(alone[known], kind="stable")][:MOST_MEMBERS]
    judge = _judge(table, pool)
    counts = np.zeros(len(pool))
    best, best_loss = counts, np.inf
    for size in range(1, ROUNDS + 1):
        losses = judge(counts, size)
        chosen = int(np.argmin(losses))
        counts = counts.copy()
        counts[chosen] += 1
        if losses[chosen] < best_loss - 1e-12:
            best, best_loss = counts, losses[chosen]
        if time.monotonic() > end or size - best.sum() >= PATIENCE:
            break
    weights = np.zeros(count)
    weights[pool] = best / best.sum()
    return _pruned(weights)


def _pruned(weights: Array) -> Array:
    kept = np.where(weights >= min(SMALLEST, weights.max()), weights, 0.0)
    shares: Array = kept / kept.sum()
    return shares


def _judge(table: _Table, pool: Array) -> Judge:
    """A function of the counts so far: the loss of the mean with each candidate of the pool added."""
    if table.metric in ("rmse", "r2"):
        return _judge_squares(table, pool)
    if table.metric == "log_loss":
        return _judge_log_loss(table, pool)
    if table.metric == "roc_auc" and table.parts.shape[-1] == 2 and len(table.y) > EXACT_ROWS:
        return _judge_ranks(table, pool)
    if table.metric == "roc_auc" and table.parts.shape[-1] == 2 and table.weights is None and _both(table.y):
        return _judge_pairs(table, pool)

    def judge(counts: Array, size: int) -> Array:
        total = np.tensordot(counts, table.parts[pool], axes=1)
        threshold = table.threshold(total / (size - 1) if size > 1 else table.parts[pool[0]])
        return np.array([table.loss((total + table.parts[i]) / size, threshold) for i in pool])

    return judge


def _judge_squares(table: _Table, pool: Array) -> Judge:
    """Squared errors of a mean follow from the products of the candidates' errors."""
    errors = table.parts[pool].astype(np.float64) - table.y
    root = 1.0 if table.weights is None else np.sqrt(table.weights)
    errors = errors * root
    products = errors @ errors.T

    def judge(counts: Array, size: int) -> Array:
        losses: Array = counts @ products @ counts + 2 * (products @ counts) + np.diag(products)
        return losses / size**2

    return judge


def _judge_log_loss(table: _Table, pool: Array) -> Judge:
    """Only the probability of the true class counts."""
    rows = np.arange(len(table.y))
    right = np.stack([table.parts[i][rows, table.y] / table.parts[i].sum(axis=1) for i in pool])

    def judge(counts: Array, size: int) -> Array:
        mean = np.clip((counts.astype(np.float32) @ right + right) / size, TINY, 1.0)
        losses: Array = -np.average(np.log(mean), axis=1, weights=table.weights)
        return losses

    return judge


def _both(y: Array) -> bool:
    return bool((y == 1).any() and (y != 1).any())


def _judge_pairs(table: _Table, pool: Array) -> Judge:
    """ROC AUC of few rows, of all candidates at once."""
    positive, columns = table.y == 1, table.parts[pool][:, :, 1]

    def judge(counts: Array, size: int) -> Array:
        total = np.tensordot(counts, table.parts[pool], axes=1)[:, 1]
        return -auc_of_each(positive, (total + columns) / size)

    return judge


def _judge_ranks(table: _Table, pool: Array) -> Judge:
    """ROC AUC of many rows from counts by steps of the root of the probability, finer where it is small."""
    columns = table.parts[pool][:, :, 1]
    groups = [np.flatnonzero(table.y == label) for label in (0, 1)]
    weights = [None if table.weights is None else table.weights[rows] for rows in groups]

    def area(mean: Array) -> float:
        steps = (np.sqrt(mean) * (STEPS - 1)).astype(np.int64)
        negative, positive = (
            np.bincount(steps[rows], weights=weight, minlength=STEPS)
            for rows, weight in zip(groups, weights, strict=True)
        )
        below = np.cumsum(negative) - 0.5 * negative
        return float(positive @ below / (positive.sum() * negative.sum()))

    def judge(counts: Array, size: int) -> Array:
        total = counts.astype(np.float32) @ columns
        return np.array([-area(np.clip((total + column) / size, 0.0, 1.0)) for column in columns])

    return judge
