"""A stored table as a file for other programs. No text of it is run as a formula by a spreadsheet.

To add a format: one row in EXPORTS and the function that writes it.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet
import xlsxwriter

from flowml.storage.errors import DataError, InputError
from flowml.storage.records import Json
from flowml.storage.records.sheets import (
    FORMULA,
    LARGEST,
    LONGEST,
    MEDIA_TYPE,
    MOST_COLUMNS,
    MOST_ROWS,
    NUMBER,
    harmless,
    is_formula,
)

PIECE = 10_000  # rows in memory at once
FIRST_DAY = dt.datetime(1900, 3, 1)  # before it, spreadsheets count the days wrongly
AS_TEXTS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True)
class Export:
    key: str
    label: str
    media_type: str
    write: Callable[[Path, Path], object]  # from, to

    @property
    def suffix(self) -> str:
        return f".{self.key}"


def export(key: str) -> Export:
    """Raises InputError for a format that there is not."""
    row = next((row for row in EXPORTS if row.key == key), None)
    if row is None:
        raise InputError(
            f"Tables are not written as {key[:40]!r}.",
            f"Choose one of: {', '.join(row.key for row in EXPORTS)}.",
        )
    return row


def work(request: Json) -> Json:
    """{"path", "target", "format"} → {}, for `apart`."""
    export(request["format"]).write(Path(request["path"]), Path(request["target"]))
    return {}


# --- delimited text ---------------------------------------------------------------------------------------


def _csv(source: Path, target: Path) -> None:
    table = pl.scan_parquet(source)
    schema = table.collect_schema()
    named = table.with_columns(*map(_cell, schema.items())).rename(
        {name: harmless(name) for name in schema.names()}
    )
    named.sink_csv(target)


def _cell(column: tuple[str, pl.DataType]) -> pl.Expr:
    name, dtype = column
    text = pl.col(name)
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration):
        text = text.map_batches(_told, return_dtype=pl.String)
    elif dtype != pl.String:
        return text
    runs = text.str.contains(FORMULA) & ~text.str.contains(f"^{NUMBER}$")
    return pl.when(runs).then("'" + text).otherwise(text).alias(name)


def _told(values: pl.Series) -> pl.Series:
    return pl.Series(values.name, [_words(value) for value in values.to_list()], dtype=pl.String)


def _words(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


# --- workbooks --------------------------------------------------------------------------------------------


def _xlsx(source: Path, target: Path) -> None:
    with pyarrow.parquet.ParquetFile(source) as file:
        rows, names = file.metadata.num_rows, file.schema_arrow.names
        if rows > MOST_ROWS or len(names) > MOST_COLUMNS:
            raise DataError(
                f"A sheet of Excel holds {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns; "
                f"the table has {rows:,} and {len(names):,}.",
                "Choose CSV or Parquet.",
            )
        write_sheet(target, names, _rows(file))


def _rows(file: Any) -> Iterator[tuple[object, ...]]:
    for batch in file.iter_batches(PIECE):
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        yield from frame.iter_rows()


def write_sheet(target: Path, names: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """One sheet, row after row, so that it never lies in memory."""
    options = {**AS_TEXTS, "constant_memory": True, "tmpdir": str(target.parent)}
    with xlsxwriter.Workbook(str(target), options) as book:
        sheet, looks = book.add_worksheet("Table"), _Looks(book)
        for place, name in enumerate(names):
            looks.write(sheet, 0, place, name)
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                looks.write(sheet, number, place, value)


class _Looks:
    """How cells of each type are written. Texts that look like formulas bear Excel's own mark of a text."""

    def __init__(self, book: Any) -> None:
        self._quoted = book.add_format({"quote_prefix": True})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._time = book.add_format({"num_format": "hh:mm:ss"})

    def write(self, sheet: Any, row: int, place: int, value: object) -> None:
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return
        if isinstance(value, bool):
            sheet.write_boolean(row, place, value)
        elif isinstance(value, float) or (isinstance(value, int) and abs(value) <= LARGEST):
            sheet.write_number(row, place, value)
        elif (look := self._of_moment(value)) is not None:
            sheet.write_datetime(row, place, value, look)
        else:
            text = (_words(value) or "")[:LONGEST]
            sheet.write_string(row, place, text, self._quoted if is_formula(text) else None)

    def _of_moment(self, value: object) -> Any:
        """None for what is no moment, or one that Excel cannot keep."""
        if isinstance(value, dt.datetime):
            return self._moment if value.tzinfo is None and value >= FIRST_DAY else None
        if isinstance(value, dt.date):
            return self._day if value >= FIRST_DAY.date() else None
        return self._time if isinstance(value, dt.time) else None


EXPORTS: tuple[Export, ...] = (
    Export("parquet", "Parquet", "application/vnd.apache.parquet", shutil.copyfile),
    Export("csv", "CSV", "text/csv; charset=utf-8", _csv),
    Export("xlsx", "Excel", MEDIA_TYPE, _xlsx),
)
