"""Rows of a table that are most like one row, as far as a model looks at them.

The distance is Gower's (1971), a weighted mean over the columns: of numbers and dates the difference by the
range of the middle 90 % of the rows, at most 1; of categories 0 where they are equal, else 1; 1 where one of
two is missing. Columns weigh as much as they matter to the model. Free text counts for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from flowml.automl.contract import Contract, Feeds, Kind, missing, rows_of
from flowml.automl.metrics import Array

LEAST_WEIGHT = 0.01  # of a column that does not matter, beside the one that matters most
MIDDLE = (0.05, 0.95)


class Neighbours(NamedTuple):
    rows: Array  # places in the feeds, the most similar first
    distances: Array  # 0: alike in all columns, 1: in none


def nearest(
    contract: Contract, feeds: Feeds, row: Feeds, weights: Mapping[str, float], count: int
) -> Neighbours:
    """The `count` rows of `feeds` that are most like the one row. `weights`: importance by column."""
    total = np.zeros(rows_of(feeds))
    sum_ = 0.0
    most = max([*weights.values(), 0.0])
    for column in contract.columns:
        if column.kind is Kind.TEXT:
            continue
        weight = max(weights.get(column.name, 0.0) / most if most > 0 else 1.0, LEAST_WEIGHT)
        total += weight * _distance(column.kind, feeds[column.feed].ravel(), row[column.feed].ravel())
        sum_ += weight
    distances = total / sum_ if sum_ else total
    order = np.argsort(distances, kind="stable")[:count]
    return Neighbours(order, distances[order])


def _distance(kind: Kind, values: Array, one: Array) -> Array:
    empty, gap = missing(values), bool(missing(one)[0])
    if gap:
        return np.asarray((~empty).astype(np.float64))
    if kind is Kind.STRING:
        found = (values != one[0]).astype(np.float64)
    else:
        numbers = values.astype(np.float64)
        known = numbers[~empty]
        low, high = np.quantile(known, MIDDLE) if len(known) else (0.0, 0.0)
        away = np.abs(numbers - float(one[0]))
        found = np.minimum(away / (high - low), 1.0) if high > low else (away > 0).astype(np.float64)
    return np.where(empty, 1.0, found)
