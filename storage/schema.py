"""What the columns of a table hold and are for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import polars.selectors as cs

from flowml.storage import roles
from flowml.storage.abreast import abreast
from flowml.storage.records import Column, DatasetSchema
from flowml.storage.statistics import describe

CELLS = 20_000_000  # that are read from a file at a time

TYPES: tuple[tuple[type[pl.DataType], str], ...] = (
    (pl.Boolean, "boolean"),
    (pl.String, "string"),
    (pl.Categorical, "string"),
    (pl.Enum, "string"),
    (pl.Null, "string"),
    (pl.Date, "date"),
    (pl.Datetime, "datetime"),
    (pl.Time, "time"),
    (pl.Duration, "duration"),
    (pl.List, "list"),
    (pl.Array, "list"),
)


def infer(
    frame: pl.DataFrame,
    notes: Mapping[str, str] | None = None,
    written: Mapping[str, tuple[str, ...]] | None = None,
    called: Mapping[str, str] | None = None,
) -> DatasetSchema:
    """Types, guessed roles with reasons, and statistics. `notes` tells how columns were read, to be kept;
    `written` how their texts write dates and numbers; `called` their names where the frame has others.
    """

    def described(column: pl.Series) -> Column:
        return _column(
            column.alias((called or {}).get(column.name, column.name)),
            (notes or {}).get(column.name, ""),
            (written or {}).get(column.name, ()),
        )

    return DatasetSchema(frame.height, tuple(abreast(described, frame.get_columns())))


def renamed(described: DatasetSchema, names: Sequence[str]) -> DatasetSchema:
    columns = zip(described.columns, names, strict=True)
    return DatasetSchema(
        described.rows, tuple(dataclasses.replace(column, name=name) for column, name in columns)
    )


def infer_file(path: Path) -> DatasetSchema:
    """Of a stored table, of which only some columns are in memory at a time."""
    lazy = pl.scan_parquet(path, glob=False)
    rows = int(lazy.select(pl.len()).collect().item())
    names = lazy.collect_schema().names()
    together = max(1, CELLS // max(1, rows))
    columns: list[Column] = []
    for start in range(0, len(names), together):
        part = lazy.select(cs.by_name(*names[start : start + together])).collect()
        columns += infer(part).columns
    return DatasetSchema(rows, tuple(columns))


def type_of(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    return next((name for kind, name in TYPES if dtype == kind), "other")


def _column(column: pl.Series, note: str, written: tuple[str, ...]) -> Column:
    if column.dtype in (pl.Categorical, pl.Enum, pl.Null):
        column = column.cast(pl.String)
    statistics = describe(column)
    role, reason = roles.guess(column, statistics)
    return Column(
        name=column.name,
        type=type_of(column.dtype),
        role=role,
        reason="; ".join(filter(None, (reason, note))),
        written=written,
        **vars(statistics),
    )
