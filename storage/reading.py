"""A table as it stands in its file, before its columns are named and typed as we keep them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from flowml.storage.errors import FileTooLarge
from flowml.storage.records import Finding

MOST_COLUMNS = 10_000


@dataclass(frozen=True)
class Reading:
    frame: pl.DataFrame
    names: tuple[str, ...]  # as written: some may be empty or alike, so the frame cannot bear them
    typed: bool = True  # False: cells are text that may mean numbers, dates or nothing
    decimal_comma: bool = False  # 1,234 likely means 1.234
    findings: tuple[Finding, ...] = ()
    table: str = ""  # the sheet, table or member that was read, where the file could hold several
    notes: Mapping[int, str] = field(default_factory=dict)  # how columns of other types were read, by places


@dataclass(frozen=True)
class ByColumn:
    """A table too large to hold: it hands out some of its columns at a time, whole."""

    names: tuple[str, ...]
    rows: int
    size: int  # bytes of its cells, as they lie in memory
    columns: Callable[[Sequence[int]], pl.DataFrame]  # by their places, which also name them
    typed: bool = True
    decimal_comma: bool = False
    findings: tuple[Finding, ...] = ()
    table: str = ""
    notes: Mapping[int, str] = field(default_factory=dict)  # see Reading
    scan: Callable[[Sequence[int]], pl.LazyFrame] | None = None  # as `columns`, but read bit by bit
    ready: Path | None = None  # Parquet of all columns as they are, by the names that they are to have

    def reading(self, places: Sequence[int]) -> Reading:
        """Some of its columns as a table of their own."""
        names = tuple(self.names[at] for at in places)
        notes = {at: self.notes[place] for at, place in enumerate(places) if place in self.notes}
        return Reading(self.columns(places), names, self.typed, self.decimal_comma, notes=notes)


def typed_reading(frame: pl.DataFrame) -> Reading:
    return Reading(frame, tuple(frame.columns))


def refuse_width(columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise FileTooLarge(
            f"The table has {columns:,} columns, more than {MOST_COLUMNS:,}.",
            "Keep those that matter, or check the delimiter and whether rows and columns are swapped.",
        )
