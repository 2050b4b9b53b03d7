"""A table as it stands in its file, before its columns are named and typed as we keep them."""

from __future__ import annotations

from dataclasses import dataclass

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


def typed_reading(frame: pl.DataFrame) -> Reading:
    return Reading(frame, tuple(frame.columns))


def refuse_width(columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise FileTooLarge(
            f"The table has {columns:,} columns, more than {MOST_COLUMNS:,}.",
            "Keep those that matter, or check the delimiter and whether rows and columns are swapped.",
        )
