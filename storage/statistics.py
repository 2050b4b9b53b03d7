"""Numbers that describe a column: what the Data pages show and roles are guessed from."""

from __future__ import annotations

import bisect
import itertools
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
    finite = known if _all_finite(known) else known.filter(known.is_finite())
    ordered = np.sort(finite.to_numpy())
    unique = _distinct(ordered) if len(finite) == len(known) else known.n_unique()
    top, counts = _top(_counted(known, ordered)) if unique <= MOST_DISTINCT_NUMBERS else ((), ())
    if finite.is_empty():
        return Statistics(missing, unique, top=top, top_counts=counts)
    low, high = float(ordered[0]), float(ordered[-1])
    return Statistics(
        missing,
        unique,
        low,
        high,
        _float(finite.mean()),
        _median(ordered),
        _float(finite.std()),
        top,
        counts,
        _histogram(ordered, low, high),
    )


def _all_finite(known: pl.Series) -> bool:
    return not known.dtype.is_float() or bool(known.is_finite().all())


def _of_moments(known: pl.Series, missing: int) -> Statistics:
    ordered = np.sort(known.to_physical().to_numpy())
    histogram = _histogram(ordered, float(ordered[0]), float(ordered[-1]))
    return Statistics(missing, _distinct(ordered), _iso(known.min()), _iso(known.max()), histogram=histogram)


def _of_words(known: pl.Series, missing: int) -> Statistics:
    """By hashes: two of ten million values share one in one of 300,000 columns."""
    hashes = known.hash()
    ordered = np.sort(hashes.to_numpy())
    unique = _distinct(ordered)
    top: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    if unique <= MOST_TOP:
        top, counts = _top(_values_counted(known))
    elif unique < len(known):
        top, counts = _top(_values_counted(known.filter(hashes.is_in(_leading(ordered).implode()))))
    length = _float(known.str.len_chars().mean()) if known.dtype == pl.String else None
    return Statistics(missing, unique, top=top, top_counts=counts, mean_length=length)


def _leading(ordered: np.ndarray) -> pl.Series:
    """Of values in order those that occur most often."""
    begins = starts(ordered)
    counts = np.diff(begins, append=len(ordered))
    least = np.partition(counts, -MOST_TOP)[-MOST_TOP]
    return pl.Series(ordered[begins[counts >= least]])


def _values_counted(known: pl.Series) -> pl.DataFrame:
    return known.alias("value").value_counts(name="count")


def _counted(known: pl.Series, ordered: np.ndarray) -> pl.DataFrame:
    """The same of numbers in order; with some that are not finite all are counted."""
    if len(ordered) < len(known):
        return _values_counted(known)
    begins = starts(ordered)
    values = pl.Series("value", ordered[begins], dtype=known.dtype)
    return values.to_frame().with_columns(count=np.diff(begins, append=len(ordered)))


def _distinct(ordered: np.ndarray) -> int:
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if len(ordered) else 0


def starts(ordered: np.ndarray) -> np.ndarray:
    """Where each value begins among ordered ones."""
    if not len(ordered):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _top(counted: pl.DataFrame) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The most frequent values as text, equal counts in the order of the text."""
    counted = counted.filter(pl.col("count") >= pl.col("count").top_k(MOST_TOP).min())
    counted = counted.with_columns(pl.col("value").cast(pl.String).str.slice(0, LONGEST_TOP))
    counted = counted.sort(["count", "value"], descending=[True, False]).head(MOST_TOP)
    return tuple(counted["value"].to_list()), tuple(counted["count"].to_list())


def _median(ordered: np.ndarray) -> float | None:
    half = len(ordered) // 2
    low, high = float(ordered[half - 1 + len(ordered) % 2]), float(ordered[half])
    return _float(low / 2 + high / 2 if low != high else low)


def _histogram(ordered: np.ndarray, low: float, high: float) -> tuple[int, ...]:
    """Counts of equal bins from low to high; empty where there is but one value."""
    width = high / BINS - low / BINS  # the difference itself may be infinite
    if not width > 0 or not math.isfinite(width):
        return ()

    def place(value: float) -> int:
        return min(BINS - 1, int(float(value) / width - low / width))

    ends = [bisect.bisect_left(ordered, bin, key=place) for bin in range(BINS)]
    return tuple(after - before for before, after in itertools.pairwise([*ends, len(ordered)]))


def _iso(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _float(value: object) -> float | None:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
