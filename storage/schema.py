"""What the columns of a table hold and are for."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from flowml.storage import roles
from flowml.storage.records import Column, DatasetSchema
from flowml.storage.statistics import describe

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


def infer(frame: pl.DataFrame, notes: Mapping[str, str] | None = None) -> DatasetSchema:
    """Types, guessed roles with reasons, and statistics. `notes` tells how columns were read, to be kept."""
    columns = tuple(_column(column, (notes or {}).get(column.name, "")) for column in frame.get_columns())
    return DatasetSchema(frame.height, columns)


def type_of(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    return next((name for kind, name in TYPES if dtype == kind), "other")


def _column(column: pl.Series, note: str) -> Column:
    if column.dtype in (pl.Categorical, pl.Enum, pl.Null):
        column = column.cast(pl.String)
    statistics = describe(column)
    role, reason = roles.guess(column, statistics)
    return Column(
        name=column.name,
        type=type_of(column.dtype),
        role=role,
        reason="; ".join(filter(None, (reason, note))),
        **vars(statistics),
    )
