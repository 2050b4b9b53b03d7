"""Batches of rows on their way into Parquet, in groups of rows, from which columns are read again.

A file takes batches of the same types; where one changes, another file begins.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROWS = 250_000  # of a group
GROUP = 128 << 20  # bytes of a group, as it lies in memory
LEVEL = 1  # of zstd
FEW = 0.1  # share of distinct texts from which on they are kept as places in a list


class RowGroups:
    """What was written, in the order in which it came."""

    def __init__(self, folder: Path, stem: str) -> None:
        self.files: list[Path] = []
        self.size = 0  # bytes of what was written, as it lay in memory
        self._folder, self._stem = folder, stem
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def __enter__(self) -> RowGroups:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def write(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        if self._writer is None or self._writer.schema != batch.schema:
            self._end()
            self._begin(batch)
        self._waiting.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= ROWS or self._bytes >= GROUP:
            self._flush()

    def scan(self, names: Mapping[str, str], casts: Mapping[str, Any]) -> pl.LazyFrame:
        """Some columns, by their names here, called otherwise; `casts` tells types where files differ."""
        columns = [
            (pl.col(name).cast(casts[name]) if name in casts else pl.col(name)).alias(called)
            for name, called in names.items()
        ]
        return pl.concat([pl.scan_parquet(path, glob=False).select(columns) for path in self.files])

    def _begin(self, batch: pa.RecordBatch) -> None:
        path = self._folder / f"{self._stem}-{len(self.files)}.parquet"
        self.files.append(path)
        texts = [name for name, cells in zip(batch.schema.names, batch.columns, strict=True) if _recur(cells)]
        self._writer = pq.ParquetWriter(
            path,
            batch.schema,
            compression="zstd",
            compression_level=LEVEL,
            use_dictionary=texts,
            memory_pool=pool(),
        )

    def _flush(self) -> None:
        if self._waiting:
            assert self._writer is not None
            self._writer.write_table(pa.Table.from_batches(self._waiting), row_group_size=self._rows)
        self.size += self._bytes
        self._waiting, self._rows, self._bytes = [], 0, 0

    def _end(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()
        self._writer = None


@functools.cache
def pool() -> pa.MemoryPool | None:
    """One that keeps the memory of a block or a page for the next, where there is one."""
    return pa.jemalloc_memory_pool() if "jemalloc" in pa.supported_memory_backends() else None


def _recur(cells: pa.Array) -> bool:
    return pa.types.is_large_string(cells.type) and bool(pc.count_distinct(cells).as_py() <= FEW * len(cells))
