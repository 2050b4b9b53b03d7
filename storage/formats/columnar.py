"""Parquet, Feather and Arrow: binary files that know the types of their columns."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa

from flowml.storage.errors import BrokenFile
from flowml.storage.formats.row import Format
from flowml.storage.formats.streams import stream_arrow, stream_parquet
from flowml.storage.reading import Reading, typed_reading

PARQUET_MAGIC = b"PAR1"
ARROW_MAGIC = b"ARROW1"
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
        return typed_reading(pl.read_parquet(path, glob=False, hive_partitioning=False))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise BrokenFile(f"The Parquet file is damaged: {_first_line(error)}.", "Export it again.") from error


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
    return typed_reading(pl.DataFrame(pl.from_arrow(table)))


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


PARQUET = Format("parquet", "Parquet", (".parquet", ".pq"), _is_parquet, read_parquet, stream_parquet)
ARROW = Format(
    "arrow", "Feather or Arrow", (".feather", ".arrow", ".ipc"), _is_arrow, read_arrow, stream_arrow
)
