"""Large delimited files, cut into blocks of whole rows that are read side by side.

Columns whose cells are plainly numbers or empty are kept as numbers, the others as text. What cannot be cut
up so simply is refused with `NotPlain`, and is left to a reader that takes one row after the other.
"""

from __future__ import annotations

import codecs
import functools
import mmap
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from flowml.storage.formats import spool
from flowml.storage.formats.dialect import Dialect
from flowml.storage.texts import plain_numbers

SIZE, SIZE_PER_COLUMN, MOST_SIZE = 8 << 20, 32 << 10, 64 << 20  # bytes of a block
MOST_ROW = 256 << 20
MOST_COLUMNS = 2_000
MOST_THREADS = 8
LOOKED_AT = 60  # cells of a column in each block, before all of them are
NEWLINE = b"\n"
LETTERS = np.arange(256, dtype=np.uint8)
SIGNED, DIGIT, ZERO = np.isin(LETTERS, list(b"+-")), np.isin(LETTERS, list(b"0123456789")), ord("0")

Options = Callable[[bool], dict[str, Any]]  # how Arrow reads a block, the first or another


class NotPlain(Exception):
    """Rows cannot be told apart by their quotes and ends alone, or the text is no text."""


@dataclass(frozen=True)
class Blocks:
    """The columns of a file in files of Arrow, by their places."""

    rows: int
    size: int  # bytes of these files
    numbers: frozenset[int]  # places of columns of numbers,
    whole: frozenset[int]  # and those of whole ones
    files: dict[int, tuple[Path, int]]  # where a column lies, and its place there

    def columns(self, places: Sequence[int]) -> pl.DataFrame:
        return pl.DataFrame([self._column(at).alias(str(at)) for at in places])

    def _column(self, place: int) -> pl.Series:
        path, at = self.files[place]
        column = spool.columns(path, [at]).to_series().rechunk()
        return column.cast(pl.Int64) if place in self.whole else column


def read(path: Path, folder: Path, dialect: Dialect, options: Options) -> Blocks:
    """By way of files in `folder`. Raises NotPlain, and ArrowInvalid for rows that do not fit."""
    places = range(len(dialect.first))
    if dialect.encoding not in ("utf-8", "utf-8-sig") or len(places) > MOST_COLUMNS:
        raise NotPlain
    first = _Pass(path, folder / "blocks.arrow", dialect, options, places)
    first.run()
    passes = [first]
    if first.mistaken:
        texts = sorted(first.mistaken)
        passes.append(_Pass(path, folder / "blocks-of-text.arrow", dialect, options, texts, only_text=True))
        passes[-1].run()
    files = {place: (each.target, at) for each in passes for at, place in enumerate(each.places)}
    numbers = frozenset(first.numbers - first.mistaken)
    size = sum(each.target.stat().st_size for each in passes)
    return Blocks(first.rows, size, numbers, numbers & first.whole, files)


class _Pass:
    """One way through the file."""

    def __init__(
        self,
        path: Path,
        target: Path,
        dialect: Dialect,
        options: Options,
        places: Sequence[int],
        only_text: bool = False,
    ) -> None:
        self.target, self.places = target, places
        self.rows = 0
        self.numbers: set[int] = set()
        self.whole: set[int] = set()
        self.mistaken: set[int] = set()  # taken for numbers by the first block
        self._path, self._dialect, self._options, self._only_text = path, dialect, options, only_text

    def run(self) -> None:
        blocks = cut(self._path, self._dialect, _size(len(self._dialect.first)))
        first = self._parsed(next(blocks), True)
        if not self._only_text:
            self.numbers = {at for at in self.places if _numbers(first, at) is not None}
            self.whole = set(self.numbers)
        kinds = [
            pa.field(str(at), pa.float64() if at in self.numbers else pa.large_string()) for at in self.places
        ]
        threads = min(MOST_THREADS, os.cpu_count() or 1)
        with (
            pa.OSFile(str(self.target), "wb") as sink,
            pa.ipc.new_file(sink, pa.schema(kinds)) as file,
            ThreadPoolExecutor(threads, "block") as pool,
        ):
            file.write_batch(self._settled(first))
            for batch in _ahead(pool, self._read, blocks, 2 * threads):
                self.rows += batch.num_rows
                file.write_batch(batch)
        self.rows += first.num_rows

    def _read(self, block: memoryview) -> pa.RecordBatch:
        return self._settled(self._parsed(block, False))

    def _parsed(self, block: memoryview, first: bool) -> pa.Table:
        options = self._options(first)
        options["convert_options"].include_columns = [str(at) for at in self.places]
        return arrow_csv.read_csv(pa.BufferReader(pa.py_buffer(block)), **options, memory_pool=_pool())

    def _settled(self, table: pa.Table) -> pa.RecordBatch:
        arrays = [self._array(table, at) for at in self.places]
        return pa.record_batch(arrays, [str(at) for at in self.places])

    def _array(self, table: pa.Table, place: int) -> pa.Array:
        if place not in self.numbers:
            return table.column(str(place)).combine_chunks()
        found = None if place in self.mistaken else _numbers(table, place)
        if found is None:
            if place not in self.mistaken and not _all_empty(table, place):
                self.mistaken.add(place)
            return pa.nulls(table.num_rows, pa.float64())
        if found.dtype != pl.Int64:
            self.whole.discard(place)
        return found.cast(pl.Float64).to_arrow()


@functools.cache
def _pool() -> pa.MemoryPool | None:
    """One that keeps the memory of a block for the next, where there is one."""
    return pa.jemalloc_memory_pool() if "jemalloc" in pa.supported_memory_backends() else None


def _numbers(table: pa.Table, place: int) -> pl.Series | None:
    """The column as numbers; None where a cell is more than that."""
    cells = table.column(str(place)).combine_chunks()
    return plain_numbers(pl.Series(cells), LOOKED_AT, lambda _: _leading_zero(cells))


def _leading_zero(cells: pa.LargeStringArray) -> bool:
    """Whether a cell begins with 0, perhaps after a sign, and goes on with another digit."""
    _, offsets, data = cells.buffers()
    ends = np.frombuffer(offsets, np.int64)[cells.offset : cells.offset + len(cells) + 1]
    letters = np.frombuffer(data or b"\0", np.uint8)
    starts = ends[:-1] + SIGNED[letters.take(ends[:-1], mode="clip")]
    leads = (letters.take(starts, mode="clip") == ZERO) & DIGIT[letters.take(starts + 1, mode="clip")]
    return bool((starts[leads] + 1 < ends[1:][leads]).any())


def _all_empty(table: pa.Table, place: int) -> bool:
    return bool((pl.Series(table.column(str(place))) == "").all())


def _ahead(
    pool: ThreadPoolExecutor,
    work: Callable[[memoryview], pa.RecordBatch],
    blocks: Iterator[memoryview],
    most: int,
) -> Iterator[pa.RecordBatch]:
    """What becomes of each block, in order, while later ones are under way."""
    waiting: deque[Future[pa.RecordBatch]] = deque()
    for block in blocks:
        waiting.append(pool.submit(work, block))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _size(columns: int) -> int:
    return min(MOST_SIZE, max(SIZE, columns * SIZE_PER_COLUMN))


# --- where rows end ---------------------------------------------------------------------------------------


def cut(path: Path, dialect: Dialect, size: int) -> Iterator[memoryview]:
    """Pieces of whole rows, of about `size` bytes, as they lie in the file. Raises NotPlain."""
    with path.open("rb") as file:
        text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed when its last piece is gone
    whole, length = memoryview(text), len(text)
    start = len(codecs.BOM_UTF8) if text[: len(codecs.BOM_UTF8)] == codecs.BOM_UTF8 else 0
    while start < length:
        near, end = start + size, _end(text, dialect, start, start + size)
        while end == start:  # a row is longer
            if near - start > MOST_ROW:
                raise NotPlain
            near += near - start
            end = _end(text, dialect, start, near)
        if length - end < size and not text[end:].strip():
            end = length
        yield whole[start:end]
        start = end


def _end(text: mmap.mmap, dialect: Dialect, start: int, near: int) -> int:
    """Past the newline of the last row that ends before `near`, or where the file ends; or `start`."""
    if text.find(b"\0", start, near) >= 0:
        raise NotPlain
    quote = dialect.quote.encode()
    if text.find(quote, start, near) < 0:
        quotes = np.zeros(0, np.int64)
    else:
        borders = (dialect.delimiter + "\r\n").encode() + quote
        quotes = start + _quotes(memoryview(text)[start:near], quote, borders)
    if near >= len(text):
        if len(quotes) % 2:
            raise NotPlain
        return len(text)
    end = text.rfind(NEWLINE, start, near) + 1
    while end:
        before = int(np.searchsorted(quotes, end))
        if before % 2 == 0:
            return end
        end = text.rfind(NEWLINE, start, int(quotes[before - 1])) + 1
    return start


def _quotes(block: memoryview, quote: bytes, borders: bytes) -> np.ndarray:
    """Where quotes stand in a block that begins with a row.

    Raises NotPlain unless they open and close fields in turn.
    """
    letters = np.frombuffer(block, np.uint8)
    places = np.flatnonzero(letters == quote[0])
    fits = np.zeros(256, bool)
    fits[list(borders)] = True
    opening, closing = places[::2], places[1::2]
    opening = opening[opening > 0]
    closing = closing[closing + 1 < len(letters)]
    if not fits[letters[opening - 1]].all() or not fits[letters[closing + 1]].all():
        raise NotPlain
    return places
