"""Features of numbers, categories and dates."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from flowml.automl.contract.feeds import MISSING_DATE
from flowml.automl.metrics import Array

DAY = 86_400
BOUND = 1e4
CYCLES = {"month": range(1, 13), "weekday": range(7), "hour": range(24)}
MOST_SPANS = 10


def scaled_numbers(columns: list[Array]) -> Array:
    """Missing ones as the median, standardised; then a flag for each column that has gaps."""
    values = np.column_stack(columns)
    empty = np.isnan(values)
    medians = [
        float(np.median(v[~e])) if not e.all() else 0.0 for v, e in zip(values.T, empty.T, strict=True)
    ]
    filled = np.where(empty, medians, values)
    deviations = filled.std(axis=0)
    deviations[~(deviations > 0)] = 1.0
    scaled = np.clip((filled - filled.mean(axis=0)) / deviations, -BOUND, BOUND)
    return np.hstack([scaled, empty[:, empty.any(axis=0)]]).astype(np.float32)


def codes(texts: pl.Series, most: int, rarest: int, always: bool, missing_as_nan: bool) -> tuple[Array, int]:
    """The code of each row's category, 0 for the most frequent, and how many codes there are.

    Rare categories share a code, the missing have one or are NaN; `always`: also where there are none.
    """
    counts = texts.filter(texts != "").alias("value").value_counts()
    ordered = counts.sort(["count", "value"], descending=[True, False])
    keys = ordered.filter(pl.col("count") >= rarest)["value"].head(most).to_list()
    has_other = always or len(keys) < len(counts) or not keys
    has_missing = always or bool((texts == "").any())
    table: dict[str, float] = {key: float(code) for code, key in enumerate(keys)}
    table[""] = float("nan") if missing_as_nan else len(keys) + has_other if has_missing else -1.0
    coded = texts.replace_strict(table, default=len(keys) if has_other else -1.0, return_dtype=pl.Float32)
    return coded.to_numpy(), len(keys) + has_other + (has_missing and not missing_as_nan)


def dummies(coded: tuple[Array, int]) -> Array:
    """A column of 0 and 1 for each code."""
    found: Array = (coded[0][:, None] == np.arange(coded[1])).astype(np.float32)
    return found


def date_part(seconds: Array, name: str) -> Array:
    """As a whole number; of what is missing, that of 1970-01-01."""
    known = np.where(seconds == MISSING_DATE, 0, seconds)
    moments = pl.from_epoch(pl.Series(known), "s").dt
    if name == "date":
        return date_part(seconds, "month") * 100 + date_part(seconds, "day")
    part: Array = getattr(moments, name)().to_numpy().astype(np.int64)
    return part - (name == "weekday")


def varying(seconds: Array, names: list[str]) -> list[str]:
    known = seconds[seconds != MISSING_DATE]
    return [name for name in names if len(known) and np.ptp(date_part(known, name)) > 0]


def elapsed(seconds: Array) -> Array:
    """Time since the earliest date, in a unit that tells periods apart, not single rows."""
    known = seconds[seconds != MISSING_DATE]
    first, last = (int(known.min()), int(known.max())) if len(known) else (0, 0)
    units = (1, 60, 3600, DAY)
    whole = max(unit for unit in units if not (known % unit).any())
    unit = max(whole, max((unit for unit in units if (last - first) // unit >= 30), default=1))
    return np.where(seconds == MISSING_DATE, 0, seconds) // unit - first // unit


def date_parts(seconds: Array) -> Array:
    """Numbers for trees, missing as NaN."""
    names = varying(seconds, ["year", "month", "day", "date", "weekday", "hour"])
    names = [name for name in names if name != "date" or "year" in names]
    values = np.column_stack([*(date_part(seconds, name) for name in names), elapsed(seconds)])
    return np.where((seconds == MISSING_DATE)[:, None], np.nan, values).astype(np.float32)


def date_dummies(seconds: Array) -> Array:
    """Standardised time, and 0 or 1 for each value of what recurs; missing as 0 and a flag."""
    names, empty = varying(seconds, ["day", *CYCLES]), seconds == MISSING_DATE
    steady = [date_part(seconds, name) for name in names if name not in CYCLES]
    values = np.column_stack([*steady, elapsed(seconds)]).astype(np.float64)
    parts: list[Any] = [standardised(values, ~empty)]
    for name in (name for name in names if name in CYCLES):
        parts.append(date_part(seconds, name)[:, None] == np.array(CYCLES[name]))
    known = np.where(empty[:, None], 0, np.hstack(parts))
    return (np.hstack([known, empty[:, None]]) if empty.any() else known).astype(np.float32)


def standardised(values: Array, known: Array) -> Array:
    """By the mean and the deviation of the rows that are known."""
    rows = values[known] if known.any() else np.zeros((1, values.shape[1]))
    deviations = rows.std(axis=0)
    deviations[~(deviations > 0)] = 1.0
    found: Array = ((values - rows.mean(axis=0)) / deviations).astype(np.float32)
    return found


def date_spans(columns: list[Array], scaled: bool) -> Array:
    """Days from one date to another; missing as NaN, or standardised and missing as 0."""
    spans = []
    for one, other in list(combinations(columns, 2))[:MOST_SPANS]:
        empty = (one == MISSING_DATE) | (other == MISSING_DATE)
        days = np.where(empty, 0, other - one).astype(np.float64)[:, None] / DAY
        values = standardised(days, ~empty) if scaled else days
        spans.append(np.where(empty[:, None], 0.0 if scaled else np.nan, values))
    return np.hstack(spans).astype(np.float32)
