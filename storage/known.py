"""Types of Arrow that polars does not know, as the nearest that it does; as text where there is none."""

from __future__ import annotations

import functools

import pyarrow as pa
import pyarrow.compute as pc

DAYS_OF_YEAR, DAYS_OF_MONTH = 365.25, 30  # of an interval, as DuckDB counts them
DAY = 86_400_000_000  # in microseconds
TEXT = pa.large_string()


def is_known(schema: pa.Schema) -> bool:
    return all(_known(field.type) == field.type for field in schema)


def known(table: pa.Table) -> pa.Table:
    """Moments of any zone in UTC, wide decimals as numbers, intervals of a calendar as durations."""
    columns = [_column(column) for column in table.columns]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    wanted = _known(column.type)
    if wanted == column.type:
        return column
    return pa.chunked_array([_chunk(chunk, wanted) for chunk in column.chunks], wanted)


def _chunk(chunk: pa.Array, wanted: pa.DataType) -> pa.Array:
    if pa.types.is_run_end_encoded(chunk.type):
        return _chunk(pc.run_end_decode(chunk), wanted)
    if chunk.type == pa.month_day_nano_interval():
        return _durations(chunk)
    if wanted == TEXT:
        return pa.array([None if each is None else str(each) for each in chunk.to_pylist()], TEXT)
    storage = chunk.storage if isinstance(chunk, pa.ExtensionArray) else chunk
    return storage.cast(wanted)


def _durations(chunk: pa.Array) -> pa.Array:
    microseconds = [None if each is None else _microseconds(each) for each in chunk.to_pylist()]
    return pa.array(microseconds, pa.int64()).cast(pa.duration("us"))


def _microseconds(interval: pa.MonthDayNano) -> int:
    years, months = divmod(interval.months, 12)
    days = years * DAYS_OF_YEAR + months * DAYS_OF_MONTH + interval.days
    return int(days * DAY) + int(interval.nanoseconds) // 1000


@functools.cache
def _known(kind: pa.DataType) -> pa.DataType:
    """The type that a column of this type is to have."""
    if pa.types.is_timestamp(kind) and kind.tz:
        return pa.timestamp(kind.unit, "UTC")
    if pa.types.is_decimal256(kind):
        return pa.float64()
    if kind == pa.month_day_nano_interval():
        return pa.duration("us")
    if pa.types.is_run_end_encoded(kind):
        return _known(kind.value_type)
    if kind == pa.uuid() or pa.types.is_union(kind):
        return TEXT
    if isinstance(kind, pa.BaseExtensionType):
        return _known(kind.storage_type)
    return _nested(kind) if pa.types.is_nested(kind) else kind


def _nested(kind: pa.DataType) -> pa.DataType:
    fields = [kind.field(at) for at in range(kind.num_fields)]
    if all(_known(field.type) == field.type for field in fields):
        return kind
    if not all(_casts(field.type) for field in fields):
        return TEXT
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_known(field.type)) for field in fields])
    return pa.list_(_known(fields[0].type)) if pa.types.is_list(kind) else TEXT


def _casts(kind: pa.DataType) -> bool:
    """Whether a cast alone makes it known."""
    return bool(_known(kind) == kind or pa.types.is_timestamp(kind) or pa.types.is_decimal(kind))
