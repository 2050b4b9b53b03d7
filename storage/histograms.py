"""Counts of equal bins over the values of a column, without reading them all at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from flowml.storage.looks import Look, seconds_of
from flowml.storage.records import Json

BINS = 30
FAR_OUT = 4.0  # widths of the middle 98 %: what lies further would press all else into one bin


@dataclass(frozen=True)
class Histogram:
    """Fields of ColumnProfile."""

    low: float | None = None
    high: float | None = None
    histogram: tuple[int, ...] = ()
    below: int = 0
    above: int = 0


def histogram(lazy: pl.LazyFrame, look: Look, numbers: Json, quantiles: Mapping[float, float]) -> Histogram:
    """From minimum to maximum, or over the bulk of the values where some lie far out."""
    values = look.scaled()
    ends = _ends(look, numbers, quantiles)
    if values is None or ends is None:
        return Histogram()
    low, high = ends
    width = (high - low) / BINS
    place = ((values - low) / width).floor().clip(-1, BINS).cast(pl.Int32)
    place = pl.when(values == high).then(BINS - 1).otherwise(place)
    finite = lazy.select(place.alias("bin"), values.is_finite().alias("known")).filter("known")
    counted = dict(finite.group_by("bin").len().collect(engine="streaming").iter_rows())
    return Histogram(
        low,
        high,
        tuple(int(counted.get(bin, 0)) for bin in range(BINS)),
        int(counted.get(-1, 0)),
        int(counted.get(BINS, 0)),
    )


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
