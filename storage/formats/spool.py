"""Tables on their way through a file of Arrow: written in pieces, read by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from flowml.storage.errors import EmptyFile
from flowml.storage.known import known
from flowml.storage.reading import ByColumn


def write(raw: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """Writes all, whose columns are named by their places, and answers with the last piece that has rows."""
    last = None
    with pa.OSFile(str(raw), "wb") as sink, pa.ipc.new_file(sink, schema) as file:
        for batch in batches:
            if batch.num_rows:
                file.write_batch(batch)
                last = batch
    if last is None:
        raise EmptyFile("The table has no rows.", "Add a file with at least one row.")
    return pa.Table.from_batches([last])


def opened(raw: Path, names: tuple[str, ...], **facts: Any) -> ByColumn:
    return ByColumn(names, _rows(raw), raw.stat().st_size, lambda places: columns(raw, places), **facts)


def columns(raw: Path, places: Sequence[int]) -> pl.DataFrame:
    with pa.OSFile(str(raw)) as source:  # a map of the file would fetch what lies between these columns too
        file = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=list(places)))
        batches = [file.get_batch(at) for at in range(file.num_record_batches)]
        return pl.DataFrame(pl.from_arrow(known(pa.Table.from_batches(batches))))


def _rows(raw: Path) -> int:
    with pa.OSFile(str(raw)) as source:
        file = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=[0]))
        return sum(file.get_batch(at).num_rows for at in range(file.num_record_batches))
