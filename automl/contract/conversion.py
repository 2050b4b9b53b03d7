"""Values, lists and polars series, turned into what a column is fed.

Single values go through `of_value`. A series of the type that the column expects is converted as a whole;
everything else goes through `of_value` once for each distinct value, so that both ways always agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flowml.automl.contract import values as one
from flowml.automl.contract.column import ContractColumn, Kind, is_temporal, is_words
from flowml.automl.contract.feeds import FIRST_SECOND, LAST_SECOND, MISSING_DATE, NUMBER_LIMIT, missing
from flowml.automl.contract.surprises import Surprise

DTYPES: dict[Kind, Any] = {
    Kind.NUMBER: np.float64,
    Kind.STRING: object,
    Kind.DATETIME: np.int64,
    Kind.TEXT: object,
}
EMPTY: dict[Kind, Any] = {Kind.NUMBER: np.nan, Kind.STRING: "", Kind.DATETIME: MISSING_DATE, Kind.TEXT: ""}
NEVER_MISSING = "missing, which it never was in training"
UNIT_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

# Categories beyond this many unseen ones in a column share one message.
MANY_UNSEEN = 1_000

Converted = tuple[npt.NDArray[Any], list[Surprise]]


def of_value(column: ContractColumn, value: Any) -> tuple[Any, str]:
    """The stored value and a remark, empty where nothing was unexpected."""
    stored, told = _READERS[column.kind](column, value)
    if not told and column.missing_share == 0.0 and _is_empty(stored):
        return stored, NEVER_MISSING
    return stored, told


def of_series(column: ContractColumn, series: pl.Series) -> Converted:
    whole = _of_expected_type(column, series)
    stored, surprises = whole if whole is not None else _of_each(column, series.to_list())
    return stored.reshape(-1, 1), surprises + _never_missing(column, stored, surprises)


def of_list(column: ContractColumn, values: Iterable[Any]) -> Converted:
    stored, surprises = _of_each(column, list(values))
    return stored.reshape(-1, 1), surprises + _never_missing(column, stored, surprises)


def absent(column: ContractColumn, rows: int) -> Converted:
    """What stands in for a column that did not come."""
    stored = np.full((rows, 1), EMPTY[column.kind], DTYPES[column.kind])
    told = Surprise(column.name, "the column did not come: taken as missing", np.arange(rows), whole=True)
    return stored, [told] if rows else []


# --- one value --------------------------------------------------------------------------------------------


def _category(column: ContractColumn, value: Any) -> tuple[str, str]:
    stored, told = one.text(value)
    if told or not stored or stored in column.known:
        return stored, told
    if isinstance(value, bool | np.bool_):
        spelled = next(
            (s for s in (stored.title(), stored.upper(), str(int(value))) if s in column.known), ""
        )
        if spelled:
            return spelled, ""
    return _near_category(column, stored)


def _near_category(column: ContractColumn, stored: str) -> tuple[str, str]:
    bare = stored.strip()
    if bare in column.known:
        return bare, f"category {one.shown(stored)} read as {one.shown(bare)}"
    return stored, f"category {one.shown(stored)} was not seen in training" if column.complete else ""


_READERS: dict[Kind, Callable[[ContractColumn, Any], tuple[Any, str]]] = {
    Kind.NUMBER: lambda column, value: one.number(value, column.reading),
    Kind.STRING: _category,
    Kind.DATETIME: lambda column, value: one.seconds(value, column.zoned),
    Kind.TEXT: lambda _, value: one.text(value),
}


def _is_empty(stored: Any) -> bool:
    return bool(stored != stored or stored == "" or stored == MISSING_DATE)


def _of_each(column: ContractColumn, values: list[Any]) -> Converted:
    """Every distinct value is read once."""
    read, seen = _READERS[column.kind], dict[Any, tuple[Any, str]]()
    stored = np.empty(len(values), DTYPES[column.kind])
    told = dict[str, list[int]]()
    for row, value in enumerate(values):
        try:
            pair = seen.get((type(value), value))
            if pair is None:
                pair = seen[type(value), value] = read(column, value)
        except TypeError:  # it cannot be hashed, such as a list
            pair = read(column, value)
        stored[row] = pair[0]
        if pair[1]:
            told.setdefault(pair[1], []).append(row)
    return stored, _surprises(column, told)


def _surprises(column: ContractColumn, told: dict[str, list[int]]) -> list[Surprise]:
    if len(told) > MANY_UNSEEN:
        rows = sorted(row for each in told.values() for row in each)
        told = {"value not seen in training, or not fit for the column": rows}
    return [Surprise(column.name, message, np.array(rows)) for message, rows in told.items()]


def _never_missing(
    column: ContractColumn, stored: npt.NDArray[Any], surprises: list[Surprise]
) -> list[Surprise]:
    if column.missing_share > 0:
        return []
    empty = missing(stored)
    for surprise in surprises:
        if not surprise.whole:
            empty[surprise.rows] = False  # told already
    rows = np.flatnonzero(empty)
    return [Surprise(column.name, NEVER_MISSING, rows)] if len(rows) else []


# --- a whole series ---------------------------------------------------------------------------------------


def _of_expected_type(column: ContractColumn, series: pl.Series) -> Converted | None:
    """None: the type is a surprise, each value has to be looked at."""
    dtype = series.dtype
    if dtype == pl.Null:
        return np.full(len(series), EMPTY[column.kind], DTYPES[column.kind]), []
    if column.kind is Kind.NUMBER and (dtype.is_numeric() or dtype in (pl.Boolean, pl.Duration, pl.Time)):
        return _numbers(column, series)
    if column.kind is Kind.DATETIME and is_temporal(dtype):
        return _dates(column, series)
    if column.kind in (Kind.STRING, Kind.TEXT) and is_words(dtype):
        return _words(column, series.cast(pl.String))
    return None


def _numbers(column: ContractColumn, series: pl.Series) -> Converted:
    surprises = []
    if series.dtype == pl.Boolean and column.reading != "boolean":
        surprises.append(_whole(column, "true and false read as 1 and 0", len(series)))
    if series.dtype == pl.Duration:
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


def _dates(column: ContractColumn, series: pl.Series) -> Converted:
    surprises = []
    zone = getattr(series.dtype, "time_zone", None)
    if zone and not column.zoned:
        surprises.append(_whole(column, f"converted from time zone {zone} to UTC", len(series)))
    if not zone and column.zoned:
        surprises.append(_whole(column, "without a time zone: read as UTC", len(series)))
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


def _words(column: ContractColumn, series: pl.Series) -> Converted:
    """Only the few texts that are not stored as they are get looked at."""
    read, distinct = _READERS[column.kind], series.drop_nulls().unique()
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
    return series.fill_null("").to_numpy().astype(object), _surprises(column, told)


def _whole(column: ContractColumn, message: str, rows: int) -> Surprise:
    return Surprise(column.name, message, np.arange(rows), whole=True)
