"""Numbers that describe a column: what the Data pages show and roles are guessed from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

BINS = 20
MOST_TOP = 20
MOST_DISTINCT_NUMBERS = 200  # numbers with more distinct values have no telling top values
LONGEST_TOP = 200


@dataclass(frozen=True)
class Statistics:
    """Of the values that are known. Words have no minimum; what a column has none of is None or empty."""

    missing: int
    unique: int
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    median: float | None = None
    std: float | None = None
    top: tuple[str, ...] = ()
    top_counts: tuple[int, ...] = ()
    histogram: tuple[int, ...] = ()
    mean_length: float | None = None


def describe(column: pl.Series) -> Statistics:
    dtype = column.dtype
    known = column.drop_nulls()
    missing = len(column) - len(known)
    if known.is_empty() or dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return Statistics(missing, 0)
    if dtype.is_numeric():
        return _of_numbers(known, missing)
    if dtype.is_temporal():
        return _of_moments(known, missing)
    return _of_words(known, missing)


def _of_numbers(known: pl.Series, missing: int) -> Statistics:
    unique = known.n_unique()
    finite = known.filter(known.is_finite()) if known.dtype.is_float() else known
    top, counts = _top(known) if unique <= MOST_DISTINCT_NUMBERS else ((), ())
    if finite.is_empty():
        return Statistics(missing, unique, top=top, top_counts=counts)
    low, high = float(finite.min()), float(finite.max())  # type: ignore[arg-type]
    return Statistics(
        missing,
        unique,
        low,
        high,
        _float(finite.mean()),
        _float(finite.median()),
        _float(finite.std()),
        top,
        counts,
        _histogram(finite.cast(pl.Float64).to_numpy(), low, high),
    )


def _of_moments(known: pl.Series, missing: int) -> Statistics:
    seconds = known.to_physical().cast(pl.Float64).to_numpy()
    histogram = _histogram(seconds, float(seconds.min()), float(seconds.max()))
    return Statistics(missing, known.n_unique(), _iso(known.min()), _iso(known.max()), histogram=histogram)


def _of_words(known: pl.Series, missing: int) -> Statistics:
    unique = known.n_unique()
    words = known.cast(pl.String)
    top, counts = _top(words) if unique < len(known) or unique <= MOST_TOP else ((), ())
    length = _float(words.str.len_chars().mean()) if known.dtype == pl.String else None
    return Statistics(missing, unique, top=top, top_counts=counts, mean_length=length)


def _top(known: pl.Series) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The most frequent values as text, equal counts in the order of the text."""
    counted = known.alias("value").value_counts(name="count")
    counted = counted.filter(pl.col("count") >= pl.col("count").top_k(MOST_TOP).min())
    counted = counted.with_columns(pl.col("value").cast(pl.String).str.slice(0, LONGEST_TOP))
    counted = counted.sort(["count", "value"], descending=[True, False]).head(MOST_TOP)
    return tuple(counted["value"].to_list()), tuple(counted["count"].to_list())


def _histogram(values: np.ndarray, low: float, high: float) -> tuple[int, ...]:
    """Counts of equal bins from low to high; empty where there is but one value."""
    width = high / BINS - low / BINS  # the difference itself may be infinite
    if not width > 0 or not math.isfinite(width):
        return ()
    places = np.clip((values / width - low / width).astype(np.int64), 0, BINS - 1)
    return tuple(int(count) for count in np.bincount(places, minlength=BINS))


def _iso(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _float(value: object) -> float | None:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
