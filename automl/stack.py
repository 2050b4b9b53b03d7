"""A stacking layer: a linear model on top of the trials' out-of-fold predictions (Wolpert 1992).

A mean of predictions can only lie between them. Where the trials are good at different things, a linear model
of their log-odds (of their values, for a regression) does better; on few rows it does worse. So it is learned
on parts of the rows and judged on the others, against the greedy mean, and gets the share that wins there:
none, one half or all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from flowml.automl.algorithms.linear import Linear, fit_logistic, fit_ridge
from flowml.automl.algorithms.links import sigmoid, softmax
from flowml.automl.algorithms.row import FitContext, FoldTable
from flowml.automl.ensemble import weights_of
from flowml.automl.metrics import METRICS, Array, Weights
from flowml.storage.records import Json, Record, Task

LEAST = 1e-4  # probabilities are kept so far from 0 and 1, as below rounding would show in their logarithm
PARTS = 3
FEWEST_ROWS = 200
MOST_ROWS = 20_000
FEW_CLASSES = 8  # up to which a class may learn from the log-odds of the others
SHARES = (1.0, 0.5)
LEAST_GAIN = 0.001  # of what the best single trial learned beyond the worst one
ALPHAS = (0.0003, 0.003, 0.03)  # of ridge
STRENGTHS = (0.01, 0.1, 1.0)  # C of logistic regression
PULLS = (1e-4, 1e-3, 1e-2)  # towards the plain mean, of one weight for each trial


@dataclass(frozen=True)
class Stack(Record):
    """`coef`: for each trial its features one after another; see `features`."""

    coef: tuple[tuple[float, ...], ...]  # (trials * columns, outputs)
    intercept: tuple[float, ...]
    share: float  # of the answer; the rest is the weighted mean

    def predict(self, parts: Array, task: Task) -> Array:
        """From the trials' predictions (trials, rows, classes) or (trials, rows)."""
        raw = features(parts, task) @ np.asarray(self.coef) + np.asarray(self.intercept)
        return _linked(raw, task)

    def mixed(self, mean: Array, parts: Array, task: Task) -> Array:
        answer: Array = (1 - self.share) * mean + self.share * self.predict(parts, task)
        return answer


def features(parts: Array, task: Task) -> Array:
    """(rows, trials * columns) in double: log-odds, logs of probabilities less their mean, or the values."""
    values = parts.astype(np.float64)
    if task is Task.REGRESSION:
        flat: Array = values.T
        return flat
    logs = np.log(np.clip(values, LEAST, 1 - LEAST))
    if task is Task.BINARY:
        second = np.clip(values[:, :, 1], LEAST, 1 - LEAST)
        odds: Array = (np.log(second) - np.log(1 - second)).T
        return odds
    centred: Array = logs - logs.mean(axis=2, keepdims=True)
    return np.concatenate(list(centred), axis=1)


def _linked(raw: Array, task: Task) -> Array:
    if task is Task.REGRESSION:
        return raw[:, 0]
    return sigmoid(raw[:, 0]) if task is Task.BINARY else softmax(raw)


# --- learn ------------------------------------------------------------------------------------------------

Fit = Callable[[Array, Array, Weights], tuple[Array, Array]]  # features, y, weights -> coef, intercept


@dataclass(frozen=True)
class Learned:
    stack: Stack
    crosswise: float  # score of the whole answer, on rows that it was not learned on
    rows: Array  # places of those rows
    answer: Array  # (rows, classes) or (rows,): for each of them, from what the others taught


def learn(
    parts: Sequence[Array], y: Array, weights: Weights, task: Task, metric: str, seed: int, deadline: float
) -> Learned | None:
    """The stack that predicts best beside or instead of the greedy mean, or None if that is as good alone.

    `deadline` is on the clock of time.monotonic.
    """
    if len(y) < FEWEST_ROWS or len(parts) < 2:
        return None
    stacked = np.stack([part.astype(np.float32) for part in parts])
    chosen = np.sort(np.random.default_rng(seed).permutation(len(y))[:MOST_ROWS])
    some, y, weights = stacked[:, chosen], y[chosen], None if weights is None else weights[chosen]
    X = features(some, task)
    fits = tuple(_fits(task, len(parts), y, deadline))
    means, answers = np.zeros(some.shape[1:]), [np.zeros(some.shape[1:]) for _ in fits]
    for fit, check in _thirds(y, seed):
        there = None if weights is None else weights[fit]
        mean = weights_of(list(some[:, fit]), y[fit], there, metric, seed, deadline)
        means[check] = np.tensordot(mean, some[:, check], axes=1)
        for answer, one in zip(answers, fits, strict=True):
            if time.monotonic() > deadline:
                return None
            coef, intercept = one(X[fit], y[fit], there)
            answer[check] = _linked(X[check] @ coef + intercept, task)
    row = METRICS[metric]

    def loss(answer: Array) -> float:
        value = row.loss(row.score(y, answer, weights))
        return value if np.isfinite(value) else np.inf

    offers = [
        (loss(mixed), share, place, mixed)
        for place, answer in enumerate(answers)
        for share in SHARES
        for mixed in (share * answer + (1 - share) * means,)
    ]
    best, share, place, answer = min(offers, key=lambda offer: offer[:3])
    alone = loss(means)
    if not best < alone - LEAST_GAIN * abs(alone):
        return None
    coef, intercept = fits[place](X, y, weights)
    stack = Stack(tuple(map(tuple, coef.tolist())), tuple(intercept.tolist()), share)
    return Learned(stack, row.loss(best), chosen, answer)


def _thirds(y: Array, seed: int) -> Iterator[tuple[Array, Array]]:
    """Parts of the rows alike in their targets: each is checked once, by what the others taught."""
    shuffled = np.random.default_rng(seed).permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    for part in range(PARTS):
        check = np.zeros(len(y), bool)
        check[order[part::PARTS]] = True
        yield np.flatnonzero(~check), np.flatnonzero(check)


def _fits(task: Task, trials: int, y: Array, deadline: float) -> Iterator[Fit]:
    context = FitContext(threads=1, seed=0, deadline=deadline)
    if task is Task.REGRESSION:
        for alpha in ALPHAS:
            yield partial(_scaled, fit_ridge, {"alpha": alpha}, task, 1, context)
        return
    classes = int(y.max()) + 1
    if task is Task.BINARY or classes <= FEW_CLASSES:
        for strength in STRENGTHS:
            yield partial(_scaled, fit_logistic, {"rounds": 100, "C": strength}, task, classes, context)
    if task is Task.MULTICLASS:
        for pull in PULLS:
            yield partial(_one_each, trials, pull)


def _scaled(
    fit: Callable[[FoldTable, Json, FitContext], Linear],
    params: Json,
    task: Task,
    outputs: int,
    context: FitContext,
    X: Array,
    y: Array,
    weights: Weights,
) -> tuple[Array, Array]:
    """A fit of standardised features, its answer for the features as they are."""
    middle, spread = X.mean(axis=0), X.std(axis=0) + 1e-9
    Z = ((X - middle) / spread).astype(np.float32)
    metric = "rmse" if task is Task.REGRESSION else "log_loss"
    model = fit(FoldTable(Z, y, weights, Z[:0], y[:0], None, task, outputs, metric), params, context)
    coef = model.coef.astype(np.float64) / spread[:, None]
    return coef, model.intercept - middle @ coef


def _one_each(trials: int, pull: float, X: Array, y: Array, weights: Weights) -> tuple[Array, Array]:
    """One weight for each trial and an intercept for each class, drawn towards the plain mean of the logs."""
    from scipy.optimize import minimize

    rows, classes = len(y), X.shape[1] // trials
    logs = X.reshape(rows, trials, classes)
    share = np.full(rows, 1 / rows) if weights is None else weights / weights.sum()
    start = np.concatenate([np.full(trials, 1 / trials), np.zeros(classes)])

    def loss(flat: Array) -> tuple[float, Array]:
        own, intercept = flat[:trials], flat[trials:]
        probabilities = softmax(np.tensordot(logs, own, axes=(1, 0)) + intercept)
        right = probabilities[np.arange(rows), y]
        probabilities[np.arange(rows), y] -= 1.0
        slope = probabilities * share[:, None]
        away = flat - start
        gradient = np.concatenate([np.tensordot(logs, slope, axes=([0, 2], [0, 1])), slope.sum(axis=0)])
        value = -share @ np.log(np.maximum(right, 1e-300)) + pull * away @ away
        return float(value), gradient + 2 * pull * away

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    coef = np.concatenate([weight * np.eye(classes) for weight in found[:trials]])
    return coef, found[trials:]
