"""Whole polars series, turned into what a column is fed; only odd values are looked at one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from flowml.automl.contract import values as one
from flowml.automl.contract.column import ContractColumn, Kind, is_temporal, is_words
from flowml.automl.contract.feeds import FIRST_SECOND, LAST_SECOND, MISSING_DATE, NUMBER_LIMIT
from flowml.automl.contract.reading import DTYPES, EMPTY, Converted, gathered, read, read_each
from flowml.automl.contract.surprises import Surprise

UNIT_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
PLAIN_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
PLAIN_DAY = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$"
MOMENT = "%Y-%m-%d %H:%M:%S"
PLAIN_MOMENT = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}$"


def of_whole(column: ContractColumn, series: pl.Series) -> Converted:
    """A flat array, and what was unexpected."""
    dtype = series.dtype
    if dtype == pl.Null:
        return np.full(len(series), EMPTY[column.kind], DTYPES[column.kind]), []
    if column.kind is Kind.NUMBER and (dtype.is_numeric() or dtype in (pl.Boolean, pl.Duration)):
        return _numbers(column, series)
    if column.kind is Kind.NUMBER and dtype == pl.Time and column.reading in ("", "time"):
        return _numbers(column, series)
    if column.kind is Kind.DATETIME and is_temporal(dtype):
        return _dates(column, series)
    if is_words(dtype):
        return _WORDS[column.kind](column, series.cast(pl.String))
    return read_each(column, series.to_list())


# --- numbers ----------------------------------------------------------------------------------------------


def _numbers(column: ContractColumn, series: pl.Series) -> Converted:
    surprises = []
    if series.dtype == pl.Boolean and column.reading != "boolean":
        surprises.append(_all_of(column, one.FROM_TRUTH, len(series)))
    if series.dtype == pl.Duration:
        if column.reading not in ("", "duration"):
            surprises.append(_all_of(column, one.FROM_DURATION, len(series)))
        series = series.dt.total_nanoseconds(fractional=False) / 1e9
    if series.dtype == pl.Time:
        series = series.to_physical() / 1e9
    stored = series.cast(pl.Float64).to_numpy().copy()
    with np.errstate(invalid="ignore"):
        for message, bad in (
            ("infinite: taken as missing", np.isinf(stored)),
            (
                f"beyond {NUMBER_LIMIT:.1e}: taken as missing",
                np.isfinite(stored) & (abs(stored) > NUMBER_LIMIT),
            ),
        ):
            if bad.any():
                stored[bad] = np.nan
                surprises.append(Surprise(column.name, message, np.flatnonzero(bad)))
    return stored, surprises


def _number_texts(column: ContractColumn, series: pl.Series) -> Converted:
    bare = series.str.strip_chars()
    numbers = bare.cast(pl.Float64, strict=False).to_numpy()
    plain = bare.str.contains(PLAIN_NUMBER).fill_null(False).to_numpy()
    with np.errstate(invalid="ignore"):
        plain = plain & (abs(numbers) <= NUMBER_LIMIT)
    stored, surprises = _odd(column, series, ~plain)
    stored[plain] = numbers[plain]
    if plain.any():
        surprises.append(Surprise(column.name, one.FROM_TEXT, np.flatnonzero(plain)))
    return stored, surprises


# --- dates ------------------------------------------------------------------------------------------------


def _dates(column: ContractColumn, series: pl.Series) -> Converted:
    surprises = []
    zone = getattr(series.dtype, "time_zone", None)
    if zone and not column.zoned:
        surprises.append(_all_of(column, f"converted from time zone {zone} to UTC", len(series)))
    if not zone and column.zoned and series.dtype != pl.Date:
        surprises.append(_all_of(column, "without a time zone: read as UTC", len(series)))
    ticks = series.to_physical().cast(pl.Int64)
    empty = ticks.is_null().to_numpy()
    stored = _to_seconds(ticks.fill_null(0).to_numpy(), series.dtype)
    outside = ~empty & ((stored < FIRST_SECOND) | (stored > LAST_SECOND))
    if outside.any():
        message = "date outside the years 1 to 9999: taken as missing"
        surprises.append(Surprise(column.name, message, np.flatnonzero(outside)))
    return np.where(empty | outside, MISSING_DATE, stored), surprises


def _to_seconds(ticks: npt.NDArray[np.int64], dtype: pl.DataType) -> npt.NDArray[np.int64]:
    if dtype == pl.Date:
        return ticks * 86_400
    unit = dtype.time_unit if isinstance(dtype, pl.Datetime) else "us"
    return np.floor_divide(ticks, UNIT_PER_SECOND[unit])


def _date_texts(column: ContractColumn, series: pl.Series) -> Converted:
    """What is written as the ISO standard says, without a zone, is read as a whole."""
    bare = series.str.strip_chars()
    days = _moments(bare, PLAIN_DAY, " 00:00:00")
    moments = _moments(bare.str.replace("T", " ", literal=True), PLAIN_MOMENT, "")
    found = days.zip_with(days.is_not_null(), moments)
    plain = found.is_not_null().to_numpy() & (not column.zoned)
    stored, surprises = _odd(column, series, ~plain)
    stored[plain] = found.fill_null(0).to_numpy()[plain]
    return stored, surprises


def _moments(texts: pl.Series, pattern: str, ending: str) -> pl.Series:
    """Seconds since 1970 of the texts that look so; the others are missing."""
    fitting = pl.when(texts.str.contains(pattern)).then(texts + ending)
    moments = pl.select(fitting).to_series().str.to_datetime(MOMENT, time_unit="ms", strict=False)
    return moments.to_physical() // 1000


# --- words ------------------------------------------------------------------------------------------------


def _words(column: ContractColumn, series: pl.Series) -> Converted:
    """Only the few texts that are not stored as they are get looked at."""
    distinct = series.drop_nulls().unique()
    known = column.known if column.kind is Kind.STRING else frozenset[str]()
    odd = {
        text: pair for text in distinct if text not in known and (pair := read(column, text)) != (text, "")
    }
    told = dict[str, list[int]]()
    if odd:
        rows = np.flatnonzero(series.is_in(list(odd)).fill_null(False).to_numpy())
        for row, text in zip(rows.tolist(), series.gather(rows).to_list(), strict=True):
            if odd[text][1]:
                told.setdefault(odd[text][1], []).append(row)
        series = series.replace(list(odd), [stored for stored, _ in odd.values()])
    return series.fill_null("").to_numpy().astype(object), gathered(column, told)


_WORDS = {
    Kind.NUMBER: _number_texts,
    Kind.DATETIME: _date_texts,
    Kind.STRING: _words,
    Kind.TEXT: _words,
}


def _odd(column: ContractColumn, series: pl.Series, odd: npt.NDArray[np.bool_]) -> Converted:
    """An array for all rows, in which those that are odd stand as they were read one by one."""
    rows = np.flatnonzero(odd)
    stored = np.full(len(series), EMPTY[column.kind], DTYPES[column.kind])
    read_ones, surprises = read_each(column, series.gather(rows).to_list())
    stored[rows] = read_ones
    return stored, [Surprise(each.column, each.message, rows[each.rows]) for each in surprises]


def _all_of(column: ContractColumn, message: str, rows: int) -> Surprise:
    return Surprise(column.name, message, np.arange(rows), whole=True)
