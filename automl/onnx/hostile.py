"""Rows that nobody trained on, made of real ones: what a model must answer like its Python twin as well."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.automl.contract import (
    MISSING_DATE,
    MISSING_TOKENS,
    Contract,
    ContractColumn,
    Feeds,
    Kind,
    rows_of,
)
from flowml.automl.contract.feeds import FIRST_SECOND, LAST_SECOND

SHARE = 0.3  # of cells that are replaced
NUMBERS = (np.nan, 0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 1e30, -1e30)
TEXTS = (*MISSING_TOKENS, "never seen", " ", "x" * 300, "Ünïcødé 🙂", "1", "0.0", "true", "a\nb\tc")
DATES = (MISSING_DATE, FIRST_SECOND, LAST_SECOND, 0, -1, 951_782_399, 951_782_400, 4_102_444_800)


def make_hostile(contract: Contract, feeds: Feeds, rows: int, seed: int = 0) -> Feeds:
    """Rows drawn from feeds, each column on its own, with wild values in many cells."""
    draw = np.random.default_rng(seed)
    return {
        column.feed: _shaken(column, feeds[column.feed], rows, draw).reshape(-1, 1)
        for column in contract.columns
    }


def make_usual(contract: Contract, rows: int, seed: int = 0) -> Feeds:
    """Rows such as training may have seen, made of what the contract says of each column."""
    draw = np.random.default_rng(seed)
    return {column.feed: _usual(column, rows, draw).reshape(-1, 1) for column in contract.columns}


def _usual(column: ContractColumn, rows: int, draw: np.random.Generator) -> npt.NDArray[Any]:
    gaps = draw.random(rows) < column.missing_share
    if column.kind in (Kind.NUMBER, Kind.DATETIME):
        low, high = column.minimum or 0.0, column.maximum or 0.0
        values = draw.uniform(low, high, rows)
        if column.kind is Kind.DATETIME:
            return np.where(gaps, MISSING_DATE, values.astype(np.int64))
        return np.where(gaps, np.nan, np.round(values) if column.type == "integer" else values)
    words = np.array(column.categories or (str(column.example or ""),), dtype=object)
    chosen = words[draw.integers(0, len(words), rows)]
    chosen[gaps] = ""
    return chosen


def _shaken(
    column: ContractColumn, values: npt.NDArray[Any], rows: int, draw: np.random.Generator
) -> npt.NDArray[Any]:
    wild = _wild(column)
    if not rows_of({column.feed: values}):
        return wild[draw.integers(0, len(wild), rows)]
    kept = values.ravel()[draw.integers(0, len(values), rows)].copy()
    if column.kind is Kind.NUMBER:  # a step beside a value seen: thresholds often lie on such values
        beside = draw.random(rows) < SHARE
        with np.errstate(over="ignore", under="ignore"):
            kept[beside] = np.nextafter(kept[beside].astype(np.float32), np.float32(np.inf))
    changed = draw.random(rows) < SHARE
    kept[changed] = wild[draw.integers(0, len(wild), int(changed.sum()))]
    return kept


def _wild(column: ContractColumn) -> npt.NDArray[Any]:
    if column.kind is Kind.NUMBER:
        edges = [edge for edge in (column.minimum, column.maximum) if edge is not None]
        return np.array([*NUMBERS, *edges, *(edge * 10 for edge in edges)], np.float64)
    if column.kind is Kind.DATETIME:
        return np.array(DATES, np.int64)
    return np.array([*TEXTS, *(text.upper() for text in column.categories[:20])], dtype=object)
