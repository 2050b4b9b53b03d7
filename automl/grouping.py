"""Rows by the values of one column: its categories, or ranges of its numbers and dates."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from flowml.automl.contract import ContractColumn, Kind, missing
from flowml.automl.metrics import Array
from flowml.storage.records import Role

MOST_VALUES = 7  # that are groups by themselves
RANGES = 5  # of numbers and dates, each with about as many rows
LONGEST = 40  # letters of a label
REST, GAP = "other values", "missing"
START = dt.datetime(1970, 1, 1)
FEWEST_SHARE = 0.5  # of the rows that the groups must tell of, beside the rest


@dataclass(frozen=True)
class Grouping:
    """`codes` has for each row the place of its group in `labels`."""

    column: str
    kind: str  # number, boolean, datetime or category
    labels: tuple[str, ...]
    codes: Array


def grouping(column: ContractColumn, values: Array) -> Grouping | None:
    """The groups of a column's array (rows, 1), the missing ones last; None where there are not two.

    Free text has none, and neither has a column whose values hardly ever repeat.
    """
    if column.kind is Kind.TEXT:
        return None
    flat, empty = values.ravel(), missing(values)
    if column.kind is Kind.STRING:
        labels, codes = _of_names(flat, empty)
    else:
        labels, codes = _of_numbers(column, flat, empty)
    if empty.any():
        codes = np.where(empty, len(labels), codes)
        labels = (*labels, GAP)
    if len(labels) < 2:
        return None
    return Grouping(column.name, _kind(column), labels, codes)


def _kind(column: ContractColumn) -> str:
    if column.kind is Kind.STRING:
        return "category"
    if column.kind is Kind.DATETIME:
        return "datetime"
    return "boolean" if column.role is Role.BOOLEAN else "number"


def _of_names(flat: Array, empty: Array) -> tuple[tuple[str, ...], Array]:
    names, places, counts = np.unique(flat[~empty].astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_VALUES]
    if counts[order].sum() < FEWEST_SHARE * counts.sum():
        return (), np.zeros(len(flat), np.int64)
    code_of = np.full(len(names), len(order))
    code_of[order] = np.arange(len(order))
    codes = np.zeros(len(flat), np.int64)
    codes[~empty] = code_of[places]
    labels = tuple(str(name)[:LONGEST] for name in names[order])
    return (labels if len(names) <= len(order) else (*labels, REST)), codes


def _of_numbers(column: ContractColumn, flat: Array, empty: Array) -> tuple[tuple[str, ...], Array]:
    known = flat[~empty]
    distinct = np.unique(known)
    if len(distinct) <= MOST_VALUES:
        return tuple(_written(column, value) for value in distinct), np.searchsorted(distinct, flat)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, RANGES + 1)[1:-1], method="nearest"))
    codes = np.searchsorted(edges, flat, side="left")
    met = np.unique(codes[~empty])
    labels = []
    for code in met:
        inside = known[codes[~empty] == code]
        low, high = _written(column, inside.min()), _written(column, inside.max())
        labels.append(low if low == high else f"{low} to {high}")
    return tuple(labels), np.clip(np.searchsorted(met, codes), 0, len(met) - 1)


def _written(column: ContractColumn, value: float) -> str:
    if column.kind is Kind.DATETIME:
        return (START + dt.timedelta(seconds=int(value))).date().isoformat()
    if column.role is Role.BOOLEAN:
        return "true" if value else "false"
    return f"{value:.4g}" if abs(value) < 1e4 or abs(value) >= 1e9 or value % 1 else f"{int(value)}"
