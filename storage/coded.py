"""A column in the form that measures of association need: numbers, and a code for each row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

MISSING = 0
BINS = 64
MOST_KINDS = 2000  # words beyond the most frequent ones share a code


@dataclass(frozen=True)
class Coded:
    """`codes` run from 0 (missing) to `size` - 1: a bin of numbers with about as many values each, or a word.

    `numbers` holds NaN where a value is missing; None for words.
    """

    name: str
    codes: Codes
    size: int
    numbers: Floats | None = None

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        known: npt.NDArray[np.bool_] = self.codes != MISSING
        return known


def encode(column: pl.Series, bins: int = BINS, as_words: bool = False) -> Coded | None:
    """None for what can be neither ordered nor told apart, such as lists."""
    dtype = column.dtype
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return None
    if dtype.is_temporal():
        column = column.to_physical()
    if column.dtype.is_numeric() and not as_words:
        return _numbers(column, bins)
    return _words(column)


def _numbers(column: pl.Series, bins: int) -> Coded:
    numbers: Floats = column.cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
    numbers[~np.isfinite(numbers)] = np.nan
    known = np.isfinite(numbers)
    codes = np.zeros(len(numbers), np.int64)
    values = numbers[known]
    if not len(values):
        return Coded(column.name, codes, 1, numbers)
    ends = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf")
    edges = np.unique(ends)
    edges = edges[edges < values.max()]
    codes[known] = 1 + np.searchsorted(edges, values, side="left")
    return Coded(column.name, codes, len(edges) + 2, numbers)


def _words(column: pl.Series) -> Coded:
    words = column.cast(pl.String, strict=False).alias("word")
    counted = words.drop_nulls().value_counts(name="count", sort=True)
    kept = counted.head(MOST_KINDS).with_row_index("code", offset=1).select("word", "code")
    joined = words.to_frame().join(kept, on="word", how="left", maintain_order="left")
    rest = kept.height + 1
    coded = joined.select(
        pl.when(pl.col("word").is_null()).then(MISSING).otherwise(pl.col("code").fill_null(rest))
    ).to_series()
    codes: Codes = coded.cast(pl.Int64).to_numpy()
    return Coded(column.name, codes, rest + (counted.height > kept.height))
