"""The columns of a table, as the encodings see them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl

from flowml.automl.contract.feeds import (
    FIRST_SECOND,
    LAST_SECOND,
    MISSING_DATE,
    MISSING_TOKENS,
    NUMBER_LIMIT,
)
from flowml.automl.metrics import Array

TICKS = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}  # of a second


def numbers(column: pl.Series) -> Array:
    """Missing, infinite and huge ones are NaN."""
    if column.dtype == pl.Duration:
        column = column.dt.total_nanoseconds(fractional=False) / 1e9
    if column.dtype == pl.Time:
        column = column.to_physical() / 1e9
    values = column.cast(pl.Float64).to_numpy().copy()
    values[~(abs(values) <= NUMBER_LIMIT)] = np.nan
    return values


def texts(column: pl.Series) -> pl.Series:
    """What means missing is the empty text."""
    spelled = pl.Series([spelling(value) for value in column.to_list()], dtype=pl.String)
    return spelled.replace(list(MISSING_TOKENS), [""] * len(MISSING_TOKENS))


def spelling(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value).strip()


def seconds(column: pl.Series) -> Array:
    """Since 1970 in UTC."""
    ticks = column.to_physical().cast(pl.Int64)
    empty = ticks.is_null().to_numpy()
    found = ticks.fill_null(0).to_numpy()
    if isinstance(column.dtype, pl.Datetime):
        found = found // TICKS[column.dtype.time_unit]
    else:
        found = found * 86_400
    outside = (found < FIRST_SECOND) | (found > LAST_SECOND)
    return np.where(empty | outside, MISSING_DATE, found)


def classes_of(column: pl.Series, classes: list[str], whole: bool) -> pl.Series:
    """The number of each row's class; null where it has none of them."""
    if column.dtype.is_numeric():
        column = finite(column).cast(pl.Int64) if whole else finite(column)
    codes = {name: code for code, name in enumerate(classes)}
    named = column.cast(pl.String).str.strip_chars()
    return named.replace_strict(codes, default=None, return_dtype=pl.Int64)


def finite(column: pl.Series) -> pl.Series:
    known = column.cast(pl.Float64).is_finite()
    return column.to_frame("y").select(pl.when(known).then("y"))["y"]
