"""Excel workbooks: the first sheet that holds cells."""

from __future__ import annotations

import datetime as dt
import functools
import zipfile
from pathlib import Path

import fastexcel
import polars as pl

from flowml.storage.errors import BrokenFile, EmptyFile, FileTooLarge
from flowml.storage.formats.row import Format
from flowml.storage.reading import Reading
from flowml.storage.records import Finding, Severity

FIRST_DAY = dt.date(1900, 1, 1)  # a time of the day lies before it
ROWS_ABOVE = 100  # how far down the table may begin
DAMAGED = (zipfile.BadZipFile, NotImplementedError, OSError, ValueError)  # as zipfile says it
LARGEST_UNPACKED = 2 << 30


def _is_workbook(head: bytes, path: Path) -> bool:
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except DAMAGED:
        return b"xl/" in head  # a workbook that was cut off


def read(path: Path) -> Reading:
    _refuse_bomb(path)
    try:
        workbook = fastexcel.read_excel(path)
        name = _first_filled(workbook)
        names, frame = _load(workbook, name)
    except fastexcel.FastExcelError as error:
        cause = str(error).splitlines()[0]
        raise BrokenFile(
            f"The workbook cannot be read: {cause}.", "Open and save it in Excel again."
        ) from error
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    if frame.is_empty():
        raise EmptyFile(f"The sheet {name!r} has a header but no rows.", "Add at least one row.")
    return Reading(frame, names, typed=False, findings=tuple(_findings(workbook, name)))


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except DAMAGED as error:
        raise BrokenFile("The workbook is cut off or damaged.", "Copy or save it again.") from error
    if unpacked > LARGEST_UNPACKED:
        raise FileTooLarge(
            f"The workbook unpacks to {unpacked / 1e9:.1f} GB, more than {LARGEST_UNPACKED / 1e9:.1f} GB.",
            "Save the sheet as CSV or Parquet.",
        )


def _first_filled(workbook: fastexcel.ExcelReader) -> str:
    for name in workbook.sheet_names:
        if workbook.load_sheet(name, header_row=None, n_rows=1, dtypes="string").width:
            return str(name)
    raise EmptyFile("No sheet of the workbook holds a cell.", "Put the table on the first sheet.")


def _load(workbook: fastexcel.ExcelReader, name: str) -> tuple[tuple[str, ...], pl.DataFrame]:
    """Header and cells."""
    top = workbook.load_sheet(
        name, header_row=None, skip_rows=0, n_rows=ROWS_ABOVE, dtypes="string"
    ).to_polars()
    above = next((at for at, row in enumerate(top.iter_rows()) if any(row)), 0)
    names = tuple(value or "" for value in top.row(above))
    places = [str(at) for at in range(len(names))]
    load = functools.partial(workbook.load_sheet, name, column_names=places, skip_rows=above + 1)
    try:
        return names, _plain(load(schema_sample_rows=None).to_polars())
    except fastexcel.UnsupportedColumnTypeCombinationError:  # such as words among durations
        return names, load(dtypes="string").to_polars()


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Excel keeps numbers as floats and dates as moments; what has no fraction becomes plain again."""
    return frame.with_columns(_plain_column(column) for column in frame.get_columns() if column.count())


def _plain_column(column: pl.Series) -> pl.Series:
    known = column.drop_nulls()
    if column.dtype == pl.Float64 and ((known.floor() == known) & (known.abs() < 2**53)).all():
        return column.cast(pl.Int64)
    if column.dtype == pl.Datetime and (known.dt.date() < FIRST_DAY).all():
        return column.dt.time()
    if column.dtype == pl.Datetime and (known.dt.time() == dt.time()).all():
        return column.dt.date()
    return column


def _findings(workbook: fastexcel.ExcelReader, name: str) -> list[Finding]:
    if len(workbook.sheet_names) == 1:
        return []
    message = f"The workbook has {len(workbook.sheet_names)} sheets; {name!r} was read."
    advice = "To read another one, save it as a workbook of its own."
    return [Finding("sheets", Severity.NOTE, message, advice=advice)]


XLSX = Format("xlsx", "Excel", (".xlsx", ".xlsm"), _is_workbook, read)
