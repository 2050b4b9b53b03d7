"""Counts of equal bins over the values of a column, without reading them all at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from flowml.storage.looks import Look, ask, seconds_of
from flowml.storage.records import Json

BINS = 30
PIECE = 1_000_000
FAR_OUT = 4.0  # widths of the middle 98 %: what lies further would press all else into one bin


@dataclass(frozen=True)
class Histogram:
    """Fields of ColumnProfile."""

    low: float | None = None
    high: float | None = None
    histogram: tuple[int, ...] = ()
    below: int = 0
    above: int = 0


def histogram(
    lazy: pl.LazyFrame, rows: int, look: Look, numbers: Json, quantiles: Mapping[float, float]
) -> Histogram:
    """From minimum to maximum, or over the bulk of the values where some lie far out."""
    values = look.scaled()
    ends = _ends(look, numbers, quantiles)
    if values is None or ends is None:
        return Histogram()
    low, high = ends
    width = (high - low) / BINS
    place = ((values - low) / width).floor().clip(-1, BINS)
    place = pl.when(values == high).then(BINS - 1).otherwise(place)
    counts = _tally(ask(lazy.select(place.cast(pl.Int8).filter(values.is_finite())), rows).to_series())
    return Histogram(low, high, tuple(counts[1:-1]), counts[0], counts[-1])


def _tally(places: pl.Series) -> list[int]:
    """How often each place from -1 to BINS occurs."""
    counts = np.zeros(BINS + 2, np.int64)
    for start in range(0, len(places), PIECE):
        counts += np.bincount(places.slice(start, PIECE).to_numpy() + 1, minlength=BINS + 2)
    return [int(count) for count in counts]


def _ends(look: Look, numbers: Json, quantiles: Mapping[float, float]) -> tuple[float, float] | None:
    told = look.told(dict(numbers))
    low, high = seconds_of(told.get("minimum")), seconds_of(told.get("maximum"))
    if low is None or high is None or not quantiles:
        return None
    first, last = quantiles[min(quantiles)], quantiles[max(quantiles)]
    bulk = last - first
    if bulk > 0:
        low = max(low, first - bulk) if first - low > FAR_OUT * bulk else low
        high = min(high, last + bulk) if high - last > FAR_OUT * bulk else high
    width = (high - low) / BINS
    return (low, high) if width > 0 and math.isfinite(width) and low + width > low else None
