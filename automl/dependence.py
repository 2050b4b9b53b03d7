"""How the prediction follows one column: partial dependence, with the lines of single rows.

The column is set to each value of a grid in turn, in rows that the models had not seen, while the other
columns stay as they are; the mean of the predictions over the rows is the curve (Friedman 2001), the
predictions of one row are its line (Goldstein et al. 2015).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowml.automl.contract import MISSING_DATE, Contract, ContractColumn, Feeds, Kind, missing, rows_of
from flowml.automl.metrics import Array
from flowml.storage.records import Json, Role, Task

POINTS = 20  # of a grid of numbers or dates
CATEGORIES = 12  # the most frequent ones
LINES = 20  # rows that are shown each by itself
MOST_CLASSES = 10  # that get a curve, the first given
TAILS = 0.01  # of the values at each end, where the grid does not go
LONGEST = 60  # letters of a category
START = dt.datetime(1970, 1, 1)

Answer = Callable[[Feeds], Array]


@dataclass(frozen=True)
class Part:
    """Some rows, and a model that had not seen them: it gives probabilities (n, K) or values (n,)."""

    answer: Answer
    feeds: Feeds


def dependence(contract: Contract, column: ContractColumn, parts: Sequence[Part]) -> Json | None:
    """{column, kind, grid, share, curves [{label, mean, spread}], lines, missing}; None for a column of text.

    kind: number, boolean, datetime or category. grid: numbers, ISO dates or categories; share: of the rows
    that hold each category or lie nearest to each point. curves: one for a regression (of the target) and
    for two classes (of the second), else one for each class; spread: the standard deviation over rows. lines:
    the predictions of a few rows for the first curve. missing: the means where the value is missing, in the
    order of the curves, if it ever is.
    """
    values = np.concatenate([part.feeds[column.feed].ravel() for part in parts])
    grid = grid_of(column, values)
    if grid is None or not len(grid):
        return None
    points = [_answers(contract, parts, column.feed, value) for value in grid]
    labels = _labels(contract)
    curves = [
        {
            "label": label,
            "mean": [float(each[:, place].mean()) for each in points],
            "spread": [float(each[:, place].std()) for each in points],
        }
        for place, label in enumerate(labels)
    ]
    return {
        "column": column.name,
        "kind": _kind(column),
        "grid": shown(column, grid),
        "share": _shares(column, values, grid),
        "curves": curves,
        "lines": np.stack([each[:, 0] for each in points], axis=1)[:LINES].tolist(),
        "missing": _where_missing(contract, column, parts, values),
    }


def grid_of(column: ContractColumn, values: Array) -> Array | None:
    """Values to try: those that occur if they are few, else quantiles; the most frequent categories."""
    if column.kind is Kind.TEXT:
        return None
    if column.kind is Kind.STRING:
        return np.array(column.categories[:CATEGORIES], dtype=object)
    known = values[~missing(values)]
    if not len(known):
        return None
    distinct = np.unique(known)
    if len(distinct) <= POINTS:
        return distinct
    steps = np.linspace(TAILS, 1 - TAILS, POINTS)
    return np.unique(np.quantile(known, steps, method="nearest"))


def _answers(contract: Contract, parts: Sequence[Part], feed: str, value: Any) -> Array:
    """(rows, curves) of all parts, with one column set to a value."""
    found = []
    for part in parts:
        column = np.full_like(part.feeds[feed], value)
        found.append(_chosen(contract, part.answer({**part.feeds, feed: column})))
    return np.concatenate(found)


def _chosen(contract: Contract, answer: Array) -> Array:
    if contract.task is Task.REGRESSION:
        return answer.reshape(-1, 1)
    return answer[:, 1:2] if contract.task is Task.BINARY else answer[:, :MOST_CLASSES]


def _labels(contract: Contract) -> list[str]:
    if contract.task is Task.REGRESSION:
        return [contract.target]
    return list(contract.classes[1:2] if contract.task is Task.BINARY else contract.classes[:MOST_CLASSES])


def _kind(column: ContractColumn) -> str:
    if column.kind is Kind.STRING:
        return "category"
    if column.kind is Kind.DATETIME:
        return "datetime"
    return "boolean" if column.role is Role.BOOLEAN else "number"


def shown(column: ContractColumn, values: Array) -> list[Any]:
    """Values as JSON holds them: numbers, ISO dates, short texts; None where they are missing."""
    empty = missing(values)
    plain = [_plain(column, value) for value in values.ravel().tolist()]
    return [None if gap else value for gap, value in zip(empty, plain, strict=True)]


def _plain(column: ContractColumn, value: Any) -> Any:
    if column.kind is Kind.DATETIME:
        return "" if value == MISSING_DATE else (START + dt.timedelta(seconds=value)).isoformat()
    return value[:LONGEST] if isinstance(value, str) else value


def _shares(column: ContractColumn, values: Array, grid: Array) -> list[float]:
    """How the rows fall to the points of the grid; other categories and missing values to none."""
    if column.kind is Kind.STRING:
        counts = [int((values == category).sum()) for category in grid]
    else:
        known = values[~missing(values)].astype(np.float64)
        middles = (grid[1:].astype(np.float64) + grid[:-1]) / 2
        counts = np.bincount(np.searchsorted(middles, known), minlength=len(grid)).tolist()
    return [count / max(len(values), 1) for count in counts]


def _where_missing(
    contract: Contract, column: ContractColumn, parts: Sequence[Part], values: Array
) -> list[float] | None:
    empty = missing(values)
    if not empty.any():
        return None
    gap = values[empty][0]
    return [float(mean) for mean in _answers(contract, parts, column.feed, gap).mean(axis=0)]


def sampled(feeds: Feeds, most: int) -> Array:
    """Evenly spread rows, at most so many."""
    count = rows_of(feeds)
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
