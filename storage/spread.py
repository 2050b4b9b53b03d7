"""How the values of one column are spread over bins or words, then and in a later table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from flowml.storage.dates import as_dates
from flowml.storage.records import ColumnReference, Role

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BINS = 10  # with about as many values each
MOST_VALUES = 200
LONGEST_VALUE = 100
MOST_WORDS = 50  # text columns with more distinct values, most of them long, are measured by their length
LONG = 40
SAMPLE = 1000

NOT_COMPARED = frozenset({Role.IDENTIFIER, Role.CONSTANT, Role.IGNORED, Role.WEIGHT, Role.GROUP})
TICKS = {"ms": 1e3, "us": 1e6, "ns": 1e9}


def kind_of(column: pl.Series, role: Role | None) -> str | None:
    """What is compared of a column; None for one that says nothing."""
    if role in NOT_COMPARED or column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        return None
    if role is Role.TEXT:
        return "length"
    if role in (Role.CATEGORICAL, Role.BOOLEAN):
        return "word"
    if column.dtype in (pl.Date, pl.Datetime):
        return "moment"
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        return "number"
    return "length" if role is None and _is_text(column) else "word"


def _is_text(column: pl.Series) -> bool:
    if column.dtype != pl.String:
        return False
    length = column.str.len_chars().mean()
    return isinstance(length, int | float) and length > LONG and column.n_unique() > MOST_WORDS


def settled(column: pl.Series, kind: str) -> pl.Series:
    """The column as floats or words, whatever type it came as; what does not fit is missing."""
    return _words(column) if kind == "word" else _numbers(column, kind)


def _numbers(column: pl.Series, kind: str) -> pl.Series:
    if kind == "length":
        column = column.cast(pl.String, strict=False).str.len_chars()
    if kind == "moment" and column.dtype == pl.String:
        known = column.drop_nulls()
        found = as_dates(column, known.head(SAMPLE).to_list())
        column = found[0] if found else pl.repeat(None, len(column), dtype=pl.Datetime("us"), eager=True)
    if column.dtype in (pl.Date, pl.Datetime):
        column = _seconds(column)
    elif column.dtype.is_temporal():
        column = column.to_physical()
    numbers = column.cast(pl.Float64, strict=False)
    return numbers.to_frame("n").select(pl.when(pl.col("n").is_finite()).then("n")).to_series()


def _seconds(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Date:
        return column.to_physical().cast(pl.Float64) * 86_400
    assert isinstance(column.dtype, pl.Datetime)
    return column.to_physical().cast(pl.Float64) / TICKS[column.dtype.time_unit]


def _words(column: pl.Series) -> pl.Series:
    if column.dtype.is_float() and (column.is_null() | (column.floor() == column)).all():
        column = column.cast(pl.Int64, strict=False)  # 1.0 and 1 are the same kind
    return column.cast(pl.String, strict=False).str.slice(0, LONGEST_VALUE)


def measure(name: str, column: pl.Series, kind: str) -> ColumnReference:
    values = settled(column, kind)
    known = values.drop_nulls()
    missing = len(values) - len(known)
    if kind == "word":
        return _measure_words(name, known, missing)
    edges = _edges(known)
    return ColumnReference(
        name,
        kind,
        missing,
        tuple(int(count) for count in bin_counts(known, edges)),
        tuple(float(edge) for edge in edges),
        None if known.is_empty() else float(known.min()),  # type: ignore[arg-type]
        None if known.is_empty() else float(known.max()),  # type: ignore[arg-type]
    )


def _measure_words(name: str, known: pl.Series, missing: int) -> ColumnReference:
    counted = word_counts(known).sort(["count", "word"], descending=[True, False])
    top = counted.head(MOST_VALUES)
    others = len(known) - int(top["count"].sum())
    return ColumnReference(
        name,
        "word",
        missing,
        (*top["count"].to_list(), others),
        values=tuple(top["word"].to_list()),
        complete=counted.height <= MOST_VALUES,
    )


def _edges(known: pl.Series) -> Floats:
    """Upper ends of the bins but the last; where values are heavily tied there are fewer."""
    if known.is_empty():
        return np.empty(0)
    values = known.to_numpy()
    inner = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1], method="inverted_cdf")
    edges = np.unique(inner)
    below: Floats = edges[edges < values.max()]
    return below


def bin_counts(known: pl.Series, edges: Floats) -> Counts:
    places = np.searchsorted(edges, known.to_numpy(), side="left")
    return np.bincount(places, minlength=len(edges) + 1).astype(np.int64)


def word_counts(known: pl.Series) -> pl.DataFrame:
    return known.alias("word").value_counts(name="count").with_columns(pl.col("count").cast(pl.Int64))
