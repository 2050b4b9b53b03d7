"""Large delimited files, cut into blocks of whole rows that are read side by side.

The first block tells which columns are plainly numbers, truth values, days or moments; Arrow reads them as
such on the way. A column that turns out to hold more is read again as text. What cannot be cut up so simply
is refused with `NotPlain`, and is left to a reader that takes one row after the other.
"""

from __future__ import annotations

import codecs
import mmap
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from flowml.storage.confined import keep_pieces
from flowml.storage.dates import FIRST_YEAR, note_of
from flowml.storage.formats import arriving
from flowml.storage.formats.dialect import Dialect
from flowml.storage.formats.groups import RowGroups, pool
from flowml.storage.formats.zeros import columns_with_leading_zeros
from flowml.storage.texts import MOST_DIGITS, plain_numbers

SIZE, SIZE_PER_COLUMN, MOST_SIZE = 4 << 20, 32 << 10, 64 << 20  # bytes of a block
MOST_ROW = 256 << 20
MOST_COLUMNS = 2_000
FEW_COLUMNS = 64
MOST_THREADS = 8
LOOKED_AT = 60  # cells of a column in the first block, before all of them are
WHOLE, NUMBER, TEXT = pa.int64(), pa.float64(), pa.large_string()
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
FORMS = (  # what all cells of a column look like, beside numbers
    (re.compile("|".join(TRUE + FALSE)), pa.bool_()),
    (re.compile(r"\d{4}-\d\d-\d\d"), pa.date32()),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?"), pa.timestamp("us")),
)
MISFIT = re.compile(r"In CSV column #(\d+): .*?(?:invalid value '(.*)'|zone offset)", re.DOTALL)
NEWLINE = b"\n"
LETTERS = np.arange(256, dtype=np.uint8)
SIGNED, DIGIT, ZERO = np.isin(LETTERS, list(b"+-")), np.isin(LETTERS, list(b"0123456789")), ord("0")

Kinds = Mapping[int, pa.DataType]  # by places
Options = Callable[[bool], dict[str, Any]]  # how Arrow reads a block, the first or another


class NotPlain(Exception):
    """Rows cannot be told apart by their quotes and ends alone, or the text is no text."""


@dataclass(frozen=True)
class Blocks:
    """The columns of a file in files of Parquet, told by their places."""

    rows: int
    size: int  # bytes of its cells, as they lie in memory
    names: tuple[str, ...]  # in these files
    groups: dict[int, RowGroups]  # where a column lies
    numbers: frozenset[int]  # places of columns of numbers that are not whole
    notes: dict[int, str]  # how columns of dates were read

    def columns(self, places: Sequence[int]) -> pl.DataFrame:
        return self.scan(places).collect().rechunk()

    def scan(self, places: Sequence[int]) -> pl.LazyFrame:
        """The same, read bit by bit."""
        parts = []
        for groups in dict.fromkeys(self.groups[at] for at in places):
            lie = [at for at in places if self.groups[at] is groups]
            casts = {self.names[at]: pl.Float64 for at in lie if at in self.numbers}
            parts.append(groups.scan({self.names[at]: str(at) for at in lie}, casts))
        return pl.concat(parts, how="horizontal").select(map(str, places))

    @property
    def ready(self) -> Path | None:
        """The file, if but one holds them all."""
        files = [path for groups in dict.fromkeys(self.groups.values()) for path in groups.files]
        return files[0] if len(files) == 1 else None


def read(path: Path, folder: Path, dialect: Dialect, options: Options, names: Sequence[str]) -> Blocks:
    """By way of files in `folder`, where columns are called `names`, no two of them alike.

    Raises NotPlain, and ArrowInvalid for rows that do not fit.
    """
    places = range(len(dialect.first))
    if dialect.encoding not in ("utf-8", "utf-8-sig") or len(places) > MOST_COLUMNS:
        raise NotPlain
    if len(places) <= FEW_COLUMNS:
        keep_pieces()
    first = _Pass(path, RowGroups(folder, "blocks"), dialect, options, names, places)
    first.run()
    passes = [first]
    if first.mistaken:
        texts = sorted(first.mistaken)
        again = RowGroups(folder, "blocks-of-text")
        passes.append(_Pass(path, again, dialect, options, names, texts, only_text=True))
        passes[-1].run()
    kept = {place: kind for place, kind in first.kinds.items() if place not in first.mistaken}
    return Blocks(
        first.rows,
        sum(each.groups.size for each in passes),
        tuple(names),
        {place: each.groups for each in passes for place in each.places},
        frozenset(place for place, kind in kept.items() if kind == NUMBER),
        {place: note_of(first.examples[place]) for place, kind in kept.items() if pa.types.is_temporal(kind)},
    )


class _Pass:
    """One way through the file."""

    def __init__(
        self,
        path: Path,
        groups: RowGroups,
        dialect: Dialect,
        options: Options,
        names: Sequence[str],
        places: Sequence[int],
        only_text: bool = False,
    ) -> None:
        self.groups, self.places = groups, places
        self.rows = 0
        self.kinds: dict[int, pa.DataType] = dict.fromkeys(places, TEXT)
        self.examples: dict[int, str] = {}  # the first value of each column in the first block
        self.mistaken: set[int] = set()  # more than what the first block told
        self._path, self._dialect, self._options, self._only_text = path, dialect, options, only_text
        self._names = [names[at] for at in places]

    def run(self) -> None:
        blocks = cut(self._path, self._dialect, _size(len(self._dialect.first)))
        first = next(blocks)
        if not self._only_text:
            self._look(self._parsed(first, True))
        threads = min(MOST_THREADS, os.cpu_count() or 1)
        with self.groups as groups, ThreadPoolExecutor(threads, "block") as pool:
            for batch in chain([self._read(first, True)], _ahead(pool, self._read, blocks, 2 * threads)):
                self.rows += batch.num_rows
                groups.write(batch)

    def _look(self, table: pa.Table) -> None:
        """Settles what each column holds by a block that was read as text."""
        for at in self.places:
            cells = pl.Series(_cells(table, at))
            self.kinds[at] = _kind(cells, _cells(table, at))
            self.examples[at] = next(iter(cells.drop_nulls().head(1)), "")

    def _read(self, block: memoryview, first: bool = False) -> pa.RecordBatch:
        while True:
            kinds = {at: kind for at, kind in self.kinds.items() if at not in self.mistaken}
            kinds = kinds or {self.places[0]: TEXT}  # for the rows
            try:
                table = self._parsed(block, first, kinds)
                break
            except pa.ArrowInvalid as error:
                self._correct(error, kinds)
        self._look_again(block, first, table, kinds)
        arrays = [self._array(table, at) for at in self.places]
        return pa.record_batch(arrays, self._names)

    def _parsed(self, block: memoryview, first: bool, kinds: Kinds | None = None) -> pa.Table:
        """Without kinds all as text."""
        kinds = dict.fromkeys(self.places, TEXT) if kinds is None else kinds
        options = self._options(first)
        convert = options["convert_options"]
        convert.column_types = {str(at): kind for at, kind in kinds.items()}
        convert.include_columns = list(convert.column_types)
        convert.null_values, convert.strings_can_be_null = [""], True
        convert.true_values, convert.false_values = TRUE, FALSE
        return arrow_csv.read_csv(pa.BufferReader(pa.py_buffer(block)), **options, memory_pool=pool())

    def _correct(self, error: pa.ArrowInvalid, kinds: Kinds) -> None:
        """Takes a column for what it may be instead, or raises the error if it is of another sort."""
        found = MISFIT.search(str(error))
        place = int(found[1]) if found else -1
        if found is None or kinds.get(place, TEXT) == TEXT:
            raise error
        if kinds[place] == WHOLE and not (found[2] or "").strip().startswith("+"):
            self.kinds[place] = NUMBER
        else:
            self.mistaken.add(place)

    def _look_again(self, block: memoryview, first: bool, table: pa.Table, kinds: Kinds) -> None:
        """For what Arrow takes for numbers or dates and is none here."""
        known = [at for at, kind in kinds.items() if kind != TEXT]
        self.mistaken |= {at for at in known if not _within_bounds(_cells(table, at))}
        numbers = [at for at in known if kinds[at] in (WHOLE, NUMBER)]
        if not numbers:
            return
        leading = None if first else columns_with_leading_zeros(block, self._dialect, table.num_rows)
        if leading is None:
            texts = self._parsed(block, first, dict.fromkeys(numbers, TEXT))
            leading = {at for at in numbers if _leading_zero(_cells(texts, at))}
        self.mistaken |= leading.intersection(numbers)

    def _array(self, table: pa.Table, place: int) -> pa.Array:
        kind = self.kinds[place]
        if place in self.mistaken:
            return pa.nulls(table.num_rows, kind)
        return _cells(table, place).cast(kind)


def _cells(table: pa.Table, place: int) -> pa.Array:
    return table.column(str(place)).combine_chunks()


def _kind(column: pl.Series, cells: pa.LargeStringArray) -> pa.DataType:
    numbers = plain_numbers(column, LOOKED_AT, lambda _: _leading_zero(cells))
    if numbers is not None:
        return WHOLE if numbers.dtype == pl.Int64 else NUMBER
    known = column.drop_nulls()
    sample = known.head(LOOKED_AT).to_list()
    for form, kind in FORMS:
        if sample and all(map(form.fullmatch, sample)) and known.str.contains(f"^({form.pattern})$").all():
            return kind
    return TEXT


def _within_bounds(cells: pa.Array) -> bool:
    """Numbers of no more digits than a float keeps, and dates of four digits in their year."""
    if pa.types.is_boolean(cells.type) or cells.null_count == len(cells):
        return True
    values = cells.drop_null().to_numpy(zero_copy_only=False)
    low, high = values.min(), values.max()  # no number, if there is one that is none
    if values.dtype.kind == "M":
        return bool(low.astype("datetime64[Y]").astype(int) + 1970 >= FIRST_YEAR)
    return bool(-(10**MOST_DIGITS) < low <= high < 10**MOST_DIGITS)


def _leading_zero(cells: pa.LargeStringArray) -> bool:
    """Whether a cell begins with 0, perhaps after a sign, and goes on with another digit."""
    _, offsets, data = cells.buffers()
    ends = np.frombuffer(offsets, np.int64)[cells.offset : cells.offset + len(cells) + 1]
    letters = np.frombuffer(data or b"\0", np.uint8)
    starts = ends[:-1] + SIGNED[letters.take(ends[:-1], mode="clip")]
    leads = (letters.take(starts, mode="clip") == ZERO) & DIGIT[letters.take(starts + 1, mode="clip")]
    return bool((starts[leads] + 1 < ends[1:][leads]).any())


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
    length = arriving.size_of(path)
    with path.open("rb") as file:
        start = len(codecs.BOM_UTF8) if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else 0
        while start < length:
            near = end = start
            while end == start:
                if near - start > MOST_ROW:
                    raise NotPlain
                near = min(length, near + max(size, near - start))  # again, if a row is longer
                arriving.wait(path, near)
                text, base = _mapped(file, start, near)
                end = base + _end(text, dialect, start - base, near == length)
            if length - end < size:
                arriving.wait(path)
                rest, first = _mapped(file, start, length)
                if not rest[end - first :].strip():
                    text, end = rest, length
            yield memoryview(text)[start - base : end - base]
            start = end


def _mapped(file: BinaryIO, start: int, end: int) -> tuple[mmap.mmap, int]:
    """A view of these bytes, closed when its last piece is gone, and where in the file it begins."""
    base = start - start % mmap.ALLOCATIONGRANULARITY
    try:
        return mmap.mmap(file.fileno(), end - base, access=mmap.ACCESS_READ, offset=base), base
    except ValueError as error:
        raise NotPlain from error  # the file was cut meanwhile


def _end(text: mmap.mmap, dialect: Dialect, start: int, last: bool) -> int:
    """Past the newline of the last row in the text, or where the text ends if it is the last; or `start`."""
    if text.find(b"\0", start) >= 0:
        raise NotPlain
    quote = dialect.quote.encode()
    if text.find(quote, start) < 0:
        quotes = np.zeros(0, np.int64)
    else:
        borders = (dialect.delimiter + "\r\n").encode() + quote
        quotes = start + _quotes(memoryview(text)[start:], quote, borders)
    if last:
        if len(quotes) % 2:
            raise NotPlain
        return len(text)
    end = text.rfind(NEWLINE, start) + 1
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
