"""Some rows of a stored table, evenly drawn and in their order, never more than memory can well hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import polars.selectors as cs

CELLS = 12_000_000
MOST_ROWS = 500_000
LEAST_ROWS = 5_000
SEED = 7
NUMBER = "\x00row"  # a name that no kept column has


def rows_for(columns: int, most: int = MOST_ROWS) -> int:
    """How many rows of so many columns are drawn."""
    return min(most, max(LEAST_ROWS, CELLS // max(1, columns)))


def sample(path: Path, columns: Sequence[str] | None = None, most: int = MOST_ROWS) -> pl.DataFrame:
    """The whole table where it is small. The same rows each time."""
    lazy = pl.scan_parquet(path, glob=False)
    names = list(columns) if columns is not None else lazy.collect_schema().names()
    rows = count_rows(path)
    keep = rows_for(len(names), most)
    if rows <= keep:
        return lazy.select(cs.by_name(*names)).collect()
    return _drawn(lazy.select(cs.by_name(*names)), rows, keep).collect(engine="streaming")


def chosen(rows: int, columns: int) -> pl.Series | None:
    """Which rows `sample` draws of a table of so many rows and columns; None: all."""
    keep = rows_for(columns)
    if rows <= keep:
        return None
    numbers = pl.int_range(rows, dtype=pl.UInt32, eager=True).alias(NUMBER).to_frame()
    return numbers.select(_hashed(rows, keep)).to_series()


def numbered(path: Path, most: int) -> pl.DataFrame:
    """At most about so many rows of a table, in a first column NUMBER their places in it, from 0."""
    lazy = pl.scan_parquet(path, glob=False).with_row_index(NUMBER)
    rows = count_rows(path)
    return (lazy if rows <= most else lazy.filter(_hashed(rows, most))).collect(engine="streaming")


def thin(frame: pl.DataFrame, most: int) -> pl.DataFrame:
    """At most about so many rows of a table that is in memory already."""
    return frame if frame.height <= most else _drawn(frame.lazy(), frame.height, most).collect()


def count_rows(path: Path) -> int:
    return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())


def _drawn(lazy: pl.LazyFrame, rows: int, keep: int) -> pl.LazyFrame:
    """By a hash of the row's number, so that no rhythm of the table is caught."""
    return lazy.with_row_index(NUMBER).filter(_hashed(rows, keep)).drop(NUMBER)


def _hashed(rows: int, keep: int) -> pl.Expr:
    return pl.col(NUMBER).cast(pl.UInt64).hash(SEED) <= int((2**64 - 1) * (keep / rows))
