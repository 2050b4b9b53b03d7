"""Parquet, Feather, Arrow, ORC and Avro: binary files that know the types of their columns."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import fastavro
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flowml.storage.errors import BrokenFile, EmptyFile
from flowml.storage.formats import spool
from flowml.storage.formats.row import Format
from flowml.storage.formats.streams import stream_arrow, stream_parquet
from flowml.storage.known import is_known, known
from flowml.storage.reading import ByColumn, Reading, refuse_width, typed_reading

PARQUET_MAGIC = b"PAR1"
ARROW_MAGIC = b"ARROW1"
PARQUET_FAULTS = (pa.ArrowException, OSError, ValueError)  # the last of names that are no UTF-8
PARQUET_GROWTH = 3  # cells in memory against those in the file, before they are packed
ORC_MAGIC = b"ORC"
AVRO_MAGIC = b"Obj\x01"
AVRO_ROWS = 20_000  # made into columns at once
MOST_AVRO_ROWS = 1_000_000  # that need not a bit each in the file
STREAM_MAGIC = b"\xff\xff\xff\xff"


def _is_parquet(head: bytes, _: Path) -> bool:
    return head.startswith(PARQUET_MAGIC)


def _is_arrow(head: bytes, _: Path) -> bool:
    return head.startswith(ARROW_MAGIC) or _is_stream(head)


def _is_stream(head: bytes) -> bool:
    """A stream begins with a marker and the length of its schema, a multiple of 8."""
    length = int.from_bytes(head[4:8], "little")
    return head.startswith(STREAM_MAGIC) and 0 < length < 1 << 26 and length % 8 == 0


def read_parquet(path: Path) -> Reading:
    with path.open("rb") as file:
        file.seek(-4, 2)
        if file.read() != PARQUET_MAGIC:
            raise BrokenFile("The Parquet file is cut off: its end is missing.", "Copy or export it again.")
    try:
        if not is_known(pq.read_schema(path)):
            return _of_table(pq.ParquetFile(path).read())
        return typed_reading(pl.read_parquet(path, glob=False, hive_partitioning=False))
    except PARQUET_FAULTS as error:
        raise BrokenFile(f"The Parquet file is damaged: {_first_line(error)}.", "Export it again.") from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise BrokenFile(f"The Parquet file is damaged: {_first_line(error)}.", "Export it again.") from error


def parquet_by_column(path: Path, _: Path) -> ByColumn:
    """Columns are read where they lie."""
    try:
        about = pq.read_metadata(path)
        schema = pq.read_schema(path)
    except PARQUET_FAULTS as error:
        raise BrokenFile(f"The Parquet file is damaged: {_first_line(error)}.", "Export it again.") from error
    names = tuple(schema.names)
    groups = [about.row_group(at) for at in range(about.num_row_groups)]
    size = sum(group.total_byte_size for group in groups) * PARQUET_GROWTH
    refuse_width(len(names))
    read = _parquet_columns if is_known(schema) else _known_columns
    return ByColumn(names, about.num_rows, size, lambda places: read(path, names, places))


def _known_columns(path: Path, names: tuple[str, ...], places: Sequence[int]) -> pl.DataFrame:
    try:
        wanted = [names[at] for at in places]
        table = pq.ParquetFile(path).read(wanted).select(wanted)
    except PARQUET_FAULTS as error:
        raise BrokenFile(f"The Parquet file is damaged: {_first_line(error)}.", "Export it again.") from error
    frame = pl.DataFrame(pl.from_arrow(known(table)))
    return frame.rename(dict(zip(frame.columns, map(str, places), strict=True)))


def _parquet_columns(path: Path, names: tuple[str, ...], places: Sequence[int]) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(
            path, columns=[names[at] for at in places], glob=False, hive_partitioning=False
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise BrokenFile(f"The Parquet file is damaged: {_first_line(error)}.", "Export it again.") from error
    return frame.rename(dict(zip(frame.columns, map(str, places), strict=True)))


def arrow_by_column(path: Path, folder: Path) -> ByColumn:
    """Piece by piece into a file of ours: those of others may be packed, or come as a stream."""
    with path.open("rb") as file:
        is_stream = _is_stream(file.read(8))
    raw = folder / "raw.arrow"
    try:
        with pa.OSFile(str(path)) as source:
            reader = (pa.ipc.open_stream if is_stream else pa.ipc.open_file)(source)
            names = tuple(reader.schema.names)
            schema = pa.schema([field.with_name(str(at)) for at, field in enumerate(reader.schema)])
            spool.write(raw, schema, _checked_batches(reader, is_stream, schema))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BrokenFile(f"The Arrow file is damaged: {_first_line(error)}.", "Export it again.") from error
    return spool.opened(raw, names)


def _checked_batches(reader: Any, is_stream: bool, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    pieces = reader if is_stream else (reader.get_batch(at) for at in range(reader.num_record_batches))
    for piece in pieces:
        piece.validate(full=True)
        yield pa.RecordBatch.from_arrays(piece.columns, schema=schema)


def read_arrow(path: Path) -> Reading:
    """Read by Arrow itself, which checks a damaged file where polars would end the process."""
    with path.open("rb") as file:
        stream = _is_stream(file.read(8))
    try:
        with pa.OSFile(str(path)) as source:
            table = (pa.ipc.open_stream if stream else pa.ipc.open_file)(source).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BrokenFile(f"The Arrow file is damaged: {_first_line(error)}.", "Export it again.") from error
    return _of_table(table)


def read_orc(path: Path) -> Reading:
    from pyarrow import orc  # loads much that others need not

    try:
        table = orc.ORCFile(str(path)).read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BrokenFile(f"The ORC file is damaged: {_first_line(error)}.", "Export it again.") from error
    return _of_table(table)


def read_avro(path: Path) -> Reading:
    """Read by a library of Avro's own: polars ends the process at the types that it does not know."""
    try:
        frames = list(_avro_frames(path))
    except AVRO_FAULTS as error:
        raise BrokenFile(f"The Avro file is damaged: {_first_line(error)}.", "Export it again.") from error
    if not frames:
        raise EmptyFile("The Avro file holds no records.", "Add a file with at least one record.")
    return typed_reading(pl.concat(frames, how="vertical_relaxed"))


AVRO_FAULTS = (
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    zlib.error,
    fastavro.schema.SchemaParseException,
    fastavro.schema.UnknownType,
    pl.exceptions.PolarsError,
)


def _avro_frames(path: Path) -> Iterator[pl.DataFrame]:
    with path.open("rb") as file:
        records = fastavro.reader(file)
        if not isinstance(records.writer_schema, dict) or "fields" not in records.writer_schema:
            raise BrokenFile("The Avro file holds single values, not records with fields.", "Export a table.")
        _refuse_recursion(records.writer_schema, ())
        names = [str(field["name"]) for field in records.writer_schema["fields"]]
        read, most = 0, MOST_AVRO_ROWS + path.stat().st_size * 8
        while rows := list(islice(records, AVRO_ROWS)):
            read += len(rows)
            if read > most:
                raise BrokenFile("The Avro file claims more records than it can hold.", "Export it again.")
            columns = {name: [row.get(name) for row in rows] for name in names}
            yield pl.DataFrame({name: _avro_column(cells) for name, cells in columns.items()})


def _refuse_recursion(schema: Any, within: tuple[str, ...]) -> None:
    """A record that holds itself has no end, or none that the reader's stack would reach."""
    if isinstance(schema, str) and schema in within:
        raise BrokenFile(f"The Avro records of type {schema!r} hold themselves.", "Export a flat table.")
    if isinstance(schema, list):
        for each in schema:
            _refuse_recursion(each, within)
    elif isinstance(schema, dict):
        inside = (*within, str(schema["name"])) if "name" in schema else within
        for each in (schema.get("type"), schema.get("items"), schema.get("values")):
            if isinstance(each, dict | list) or (isinstance(each, str) and each in inside):
                _refuse_recursion(each, within if each is schema.get("type") else inside)
        for field in schema.get("fields", ()):
            _refuse_recursion(field["type"], inside)


def _avro_column(cells: list[Any]) -> pl.Series:
    series = pl.Series(cells, strict=False)
    if series.dtype != pl.Object:
        return series
    return pl.Series([None if cell is None else str(cell) for cell in cells], dtype=pl.String)


def _of_table(table: pa.Table) -> Reading:
    return typed_reading(pl.DataFrame(pl.from_arrow(known(table))))


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


PARQUET = Format(
    "parquet",
    "Parquet",
    (".parquet", ".pq"),
    _is_parquet,
    read_parquet,
    stream_parquet,
    by_column=parquet_by_column,
)
ARROW = Format(
    "arrow",
    "Feather or Arrow",
    (".feather", ".arrow", ".ipc"),
    _is_arrow,
    read_arrow,
    stream_arrow,
    by_column=arrow_by_column,
)
ORC = Format("orc", "ORC", (".orc",), lambda head, _: head.startswith(ORC_MAGIC), read_orc)
AVRO = Format("avro", "Avro", (".avro",), lambda head, _: head.startswith(AVRO_MAGIC), read_avro)
