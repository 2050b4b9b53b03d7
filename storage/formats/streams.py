"""Parquet and Arrow, read piece by piece: the file may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as parquet

from flowml.storage.errors import BrokenFile
from flowml.storage.formats.row import Piece, Stream
from flowml.storage.known import known
from flowml.storage.reading import refuse_width

READ_BYTES = 1 << 20


def stream_parquet(path: Path) -> Stream:
    try:
        file = parquet.ParquetFile(path, buffer_size=READ_BYTES, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged("Parquet", error) from error
    names = tuple(file.schema_arrow.names)
    refuse_width(len(names))

    def pieces(rows: int, wanted: Sequence[int]) -> Iterator[Piece]:
        try:
            for batch in file.iter_batches(rows, columns=[names[at] for at in wanted], use_threads=False):
                yield placed(batch, wanted)
        except (pa.ArrowException, OSError) as error:
            raise _damaged("Parquet", error) from error

    return Stream(names, pieces, rows=file.metadata.num_rows)


def stream_arrow(path: Path) -> Stream:
    """The pieces are as large as their writer made them; each is cut smaller where it is too large."""
    with path.open("rb") as head:
        as_stream = head.read(4) == b"\xff\xff\xff\xff"
    try:
        with pa.memory_map(str(path)) as source:
            names = tuple((pa.ipc.open_stream if as_stream else pa.ipc.open_file)(source).schema.names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged("Arrow", error) from error
    refuse_width(len(names))

    def pieces(rows: int, wanted: Sequence[int]) -> Iterator[Piece]:
        try:
            with pa.memory_map(str(path)) as source:
                for batch in _batches(source, as_stream):
                    batch.validate(full=True)
                    for start in range(0, batch.num_rows, rows):
                        yield placed(batch.select(list(wanted)).slice(start, rows), wanted)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged("Arrow", error) from error

    return Stream(names, pieces)


def _batches(source: pa.MemoryMappedFile, as_stream: bool) -> Iterator[pa.RecordBatch]:
    if as_stream:
        yield from pa.ipc.open_stream(source)
        return
    file = pa.ipc.open_file(source)
    for number in range(file.num_record_batches):
        yield file.get_batch(number)


def placed(batch: pa.RecordBatch, wanted: Sequence[int]) -> pl.DataFrame:
    """Columns named by their places, for their own names may be alike."""
    places = [str(at) for at in wanted]
    if not places:
        return pl.DataFrame(height=batch.num_rows)
    return pl.DataFrame(pl.from_arrow(known(pa.Table.from_batches([batch.rename_columns(places)]))))


def _damaged(kind: str, error: Exception) -> BrokenFile:
    first = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return BrokenFile(f"The {kind} file is damaged: {first}.", "Export it again.")
