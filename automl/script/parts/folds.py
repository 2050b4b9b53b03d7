"""The folds of a study, from its seed."""

from __future__ import annotations

import numpy as np
import polars as pl

from flowml.automl.metrics import Array

Pairs = list[tuple[Array, Array]]  # rows to learn from, rows to check


def dealt(y: Array, classes: bool, folds: int, draw: np.random.Generator) -> Pairs:
    """Rows are dealt out in the order of the target, which keeps its distribution."""
    shuffled = draw.permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    cards = np.concatenate([draw.permutation(folds) for _ in range(-(-len(y) // folds))])[: len(y)]
    fold_of_row = np.empty(len(y), np.int64)
    fold_of_row[order] = np.arange(len(y)) % folds if classes else cards
    return pairs_of(fold_of_row, folds)


def pairs_of(fold_of_row: Array, folds: int) -> Pairs:
    return [(np.flatnonzero(fold_of_row != k), np.flatnonzero(fold_of_row == k)) for k in range(folds)]


def by_group(groups: Array, folds: int, draw: np.random.Generator) -> Pairs:
    """Whole groups, the largest first, each to the fold that has the fewest rows so far."""
    names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    shuffled = draw.permutation(len(names))
    filled, fold_of_group = np.zeros(min(folds, len(names))), np.empty(len(names), np.int64)
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of_group[group] = np.argmin(filled)
        filled[fold_of_group[group]] += sizes[group]
    return pairs_of(fold_of_group[codes], len(filled))


def groups_of(column: pl.Series) -> Array:
    return column.cast(pl.String).fill_null("").rank("dense").cast(pl.Int64).to_numpy()


def forward(times: Array, folds: int) -> Pairs:
    """The older half teaches first, then block after block of the newer half; equal times stay together."""
    order = np.argsort(times, kind="stable")
    wanted = np.linspace(len(times) / 2, len(times), folds + 1)[:-1].astype(np.int64)
    starts = np.unique(np.searchsorted(times[order], times[order][wanted], side="left"))
    starts = starts[starts > 0]
    ends = np.append(starts[1:], len(times))
    return [(np.sort(order[:a]), np.sort(order[a:b])) for a, b in zip(starts, ends, strict=True)]


def times_of(column: pl.Series) -> Array:
    return column.to_physical().cast(pl.Float64).to_numpy()
