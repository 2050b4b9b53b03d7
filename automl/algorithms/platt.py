"""Probabilities for learners that only rank, after Platt (1999): a logistic regression on their scores.

It is fitted on the rows that the learner learns from, each scored by a learner that did not see it. The
validation part of the fold has no say in it: two numbers for each class, fitted on a few dozen rows, would
flatter the very score that ranks the trial. What it finds is folded into the learner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from flowml.automl.algorithms.linear import fit_logistic
from flowml.automl.algorithms.row import FitContext, FoldTable
from flowml.automl.metrics import Array

PARTS = 3
STRENGTH = 10.0  # how little the logistic regression is held back
STEPS = 60


@dataclass(frozen=True)
class Platt:
    """Scores (rows, scores) times `coef` plus `intercept` are raw scores (rows, outputs)."""

    coef: Array
    intercept: Array


def calibrate(fold: FoldTable, context: FitContext, scores_of: Callable[[FoldTable], Array]) -> Platt:
    """`scores_of`: learns from a table's rows and gives the scores of its validation part."""
    parts = _parts(fold, context.seed)
    scores = None
    for part in range(PARTS):
        found = scores_of(_without(fold, parts == part))
        scores = np.zeros((len(fold.y), found.shape[1])) if scores is None else scores
        scores[parts == part] = found
    assert scores is not None
    spread = float(scores.std()) or 1.0
    table = replace(fold, X=(scores / spread).astype(np.float32))
    free = replace(context, rounds=STEPS)  # it takes no time, and is the same each time
    fitted = fit_logistic(table, {"C": STRENGTH, "rounds": STEPS}, free)
    return Platt(fitted.coef.astype(np.float64) / spread, fitted.intercept.astype(np.float64))


def _parts(fold: FoldTable, seed: int) -> Array:
    """A part for each row, alike in their classes."""
    shuffled = np.random.default_rng(seed).permutation(len(fold.y))
    order = shuffled[np.argsort(fold.y[shuffled], kind="stable")]
    parts = np.empty(len(order), np.int64)
    parts[order] = np.arange(len(order)) % PARTS
    return parts


def _without(fold: FoldTable, part: Array) -> FoldTable:
    """The part becomes what is checked on, the rest is learned from."""
    weights = fold.weights
    return replace(
        fold,
        X=fold.X[~part],
        y=fold.y[~part],
        weights=None if weights is None else weights[~part],
        X_valid=fold.X[part],
        y_valid=fold.y[part],
        weights_valid=None if weights is None else weights[part],
    )
