"""What a format is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from flowml.storage.errors import UnknownTable
from flowml.storage.reading import ByColumn, Reading

HEAD_BYTES = 1 << 18  # what `recognise` sees of a file


Piece: TypeAlias = pl.DataFrame | list[dict[str, Any]]


@dataclass(frozen=True)
class Stream:
    """A table that is read piece by piece, its columns as they stand in the file.

    `pieces` takes the most rows of a piece and the places of the columns that are wanted. Where each row
    brings its own names, there are none to tell before, and the pieces are lists of whole rows.
    """

    names: tuple[str, ...] | None  # as written
    pieces: Callable[[int, Sequence[int]], Iterator[Piece]]
    typed: bool = True  # False: cells are text that may mean numbers, dates or nothing
    rows: int | None = None  # where the file tells before it is read


@dataclass(frozen=True)
class Tables:
    """How a format that keeps several tables in one file tells their names, and reads one of them."""

    names: Callable[[Path], tuple[str, ...]]
    read: Callable[[Path, str], Reading]


@dataclass(frozen=True)
class Format:
    """A row of FORMATS. `recognise` goes by the first bytes (and may open the file), never by a name."""

    key: str
    label: str
    suffixes: tuple[str, ...]
    recognise: Callable[[bytes, Path], bool]
    read: Callable[[Path], Reading]  # of several tables, the first that holds values
    stream: Callable[[Path], Stream] | None = None  # where it need not be read as a whole
    tables: Tables | None = None
    by_column: Callable[[Path, Path], ByColumn] | None = None  # of a large file, by way of a folder

    def names(self, path: Path) -> tuple[str, ...]:
        """The tables in the file; empty where the format holds but one."""
        return self.tables.names(path) if self.tables else ()

    def open(self, path: Path, table: str = "") -> Reading:
        """The table of that name, or the first. Raises UnknownTable."""
        if not table:
            return self.read(path)
        known = self.names(path)
        if self.tables is None or table not in known:
            raise unknown_table(table, known)
        return self.tables.read(path, table)


def unknown_table(table: str, known: tuple[str, ...]) -> UnknownTable:
    if not known:
        return UnknownTable(f"The file holds one table, none called {table!r}.", "Leave the name out.")
    shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    return UnknownTable(f"The file has no table {table!r}.", f"It has: {shown}.")
