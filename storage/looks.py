"""How columns of each type are measured: which numbers are asked of the file, and how they are told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar

import numpy as np
import polars as pl
import polars.selectors as cs

from flowml.storage.records import Json

TICKS = {"ms": 1e3, "us": 1e6, "ns": 1e9}  # in a second
DAY = 86_400
FEW_ROWS = 100_000  # up to here to share out the work costs more than it saves


def ask(lazy: pl.LazyFrame, rows: int) -> pl.DataFrame:
    """What is asked of a table of so many rows."""
    return lazy.collect(engine="in-memory" if rows <= FEW_ROWS else "streaming")


@dataclass(frozen=True)
class Look:
    """A column of lists, records or bytes, of which only missing values are counted."""

    name: str
    dtype: pl.DataType
    kind: ClassVar[str] = "other"

    @property
    def raw(self) -> pl.Expr:
        return cs.by_name(self.name).as_expr()  # pl.col would read some names as patterns

    def measures(self) -> dict[str, pl.Expr]:
        return {"missing": self.raw.null_count()}

    def told(self, numbers: Json) -> Json:
        """The numbers as fields of ColumnProfile."""
        return {"missing": numbers["missing"]}

    def quantiles(self, known: pl.Series, shares: Sequence[float]) -> dict[float, float]:
        del known, shares
        return {}

    def scaled(self) -> pl.Expr | None:
        """The values as floats, to be put into bins; None where they have no order."""
        return None


@dataclass(frozen=True)
class WordLook(Look):
    kind: ClassVar[str] = "word"

    def measures(self) -> dict[str, pl.Expr]:
        if self.dtype != pl.String:
            return super().measures()
        length = self.raw.str.len_chars()
        lengths = {"length_least": length.min(), "length_mean": length.mean(), "length_most": length.max()}
        return super().measures() | lengths

    def told(self, numbers: Json) -> Json:
        return numbers


@dataclass(frozen=True)
class NumberLook(Look):
    kind: ClassVar[str] = "number"

    def scaled(self) -> pl.Expr:
        physical = self.raw.to_physical() if self.dtype.is_temporal() else self.raw
        return physical.cast(pl.Float64)

    def measures(self) -> dict[str, pl.Expr]:
        values = self.raw.to_physical() if self.dtype.is_temporal() else self.raw
        if self.dtype.is_float():
            values = values.filter(values.is_finite())
        return super().measures() | {
            "minimum": values.min(),
            "maximum": values.max(),
            "mean": values.mean(),
            "std": values.std(),
            "zeros": (values == 0).sum(),
            "negative": (values < 0).sum(),
        }

    def told(self, numbers: Json) -> Json:
        floats = {name: _finite(numbers[name]) for name in ("minimum", "maximum", "mean", "std")}
        return numbers | floats

    def quantiles(self, known: pl.Series, shares: Sequence[float]) -> dict[float, float]:
        return _quantiles(known.to_physical().cast(pl.Float64).to_numpy(), shares)


@dataclass(frozen=True)
class MomentLook(Look):
    kind: ClassVar[str] = "moment"

    def scaled(self) -> pl.Expr:
        ticks = self.raw.to_physical().cast(pl.Float64)
        if isinstance(self.dtype, pl.Datetime):
            return ticks / TICKS[self.dtype.time_unit]
        return ticks * DAY

    def measures(self) -> dict[str, pl.Expr]:
        return super().measures() | {"minimum": self.raw.min(), "maximum": self.raw.max()}

    def told(self, numbers: Json) -> Json:
        ends = {name: _iso(numbers[name]) for name in ("minimum", "maximum")}
        return numbers | ends

    def quantiles(self, known: pl.Series, shares: Sequence[float]) -> dict[float, float]:
        seconds = known.to_frame().select(self.scaled()).to_series()
        return _quantiles(seconds.to_numpy(), shares)


def looks_of(schema: Mapping[str, pl.DataType]) -> tuple[Look, ...]:
    return tuple(_look(name, dtype) for name, dtype in schema.items())


def _look(name: str, dtype: pl.DataType) -> Look:
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Null):
        return Look(name, dtype)
    if dtype in (pl.Date, pl.Datetime):
        return MomentLook(name, dtype)
    return NumberLook(name, dtype) if dtype.is_numeric() or dtype.is_temporal() else WordLook(name, dtype)


def seconds_of(value: float | str | None) -> float | None:
    """A minimum or maximum as a place on the axis of its column."""
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _quantiles(values: np.ndarray, shares: Sequence[float]) -> dict[float, float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {}
    found = np.quantile(finite, shares, method="inverted_cdf")
    return {share: float(value) for share, value in zip(shares, found, strict=True)}


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _iso(value: object) -> str | None:
    return value.isoformat() if isinstance(value, date) else None
