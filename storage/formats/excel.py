"""Workbooks of Excel, old and new, and of OpenDocument: one sheet, by default the first with cells."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import fastexcel
import polars as pl

from flowml.storage.errors import BrokenFile, EmptyFile, FileTooLarge
from flowml.storage.formats.row import Format, Tables
from flowml.storage.reading import Reading, refuse_width
from flowml.storage.records import Finding, Severity

FIRST_DAY = dt.date(1900, 1, 1)  # a time of the day lies before it
ROWS_ABOVE = 100  # how far down the table may begin
DAMAGED = (zipfile.BadZipFile, NotImplementedError, OSError, ValueError)  # as zipfile says it
LARGEST_UNPACKED = 2 << 30
SMALL, LARGEST_RATIO = 64 << 20, 100  # more than that of a file unpacks only where it is meant to


OLE = b"\xd0\xcf\x11\xe0"  # begins the container of old Office files
SHEETS_WITHIN = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))  # streams of a .xls
ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


def _holds(member: str) -> Callable[[bytes, Path], bool]:
    def recognise(head: bytes, path: Path) -> bool:
        if not head.startswith(b"PK\x03\x04"):
            return False
        try:
            with zipfile.ZipFile(path) as archive:
                return member in archive.namelist()
        except DAMAGED:
            return member.encode() in head  # a workbook that was cut off

    return recognise


def _is_old(head: bytes, path: Path) -> bool:
    if not head.startswith(OLE):
        return False
    with path.open("rb") as file:  # its directory may stand anywhere
        return any(
            name in block
            for block in iter(functools.partial(file.read, 1 << 20), b"")
            for name in SHEETS_WITHIN
        )


def _is_ods(head: bytes, _: Path) -> bool:
    return head.startswith(b"PK\x03\x04") and ODS_TYPE in head[:200]


def read(path: Path) -> Reading:
    return read_sheet(path, "")


def read_sheet(path: Path, sheet: str) -> Reading:
    with _opened(path) as workbook:
        name = sheet or _first_filled(workbook)
        names, frame = _load(workbook, name)
        findings = tuple(_findings(workbook, name)) if not sheet else ()
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null())) if frame.width else frame
    if frame.is_empty():
        raise EmptyFile(f"The sheet {name!r} has a header but no rows.", "Add at least one row.")
    return Reading(frame, names, typed=False, findings=findings, table=name)


def read_ods(path: Path) -> Reading:
    return _with_clocks(read(path))


def read_ods_sheet(path: Path, sheet: str) -> Reading:
    return _with_clocks(read_sheet(path, sheet))


def _with_clocks(reading: Reading) -> Reading:
    """OpenDocument has one type for durations and times of the day; below a day we take them for times."""
    clocks = [
        (pl.lit(dt.datetime(1970, 1, 1)) + pl.col(column.name)).dt.time().alias(column.name)
        for column in reading.frame.get_columns()
        if column.dtype == pl.Duration
        and ((column >= dt.timedelta()) & (column < dt.timedelta(days=1))).all()
    ]
    return dataclasses.replace(reading, frame=reading.frame.with_columns(clocks))


def sheets(path: Path) -> tuple[str, ...]:
    with _opened(path) as workbook:
        return tuple(str(name) for name in workbook.sheet_names)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[fastexcel.ExcelReader]:
    """The reader goes by the ending of a name where it knows it, so the file gets one that tells nothing."""
    _refuse_bomb(path)
    with tempfile.TemporaryDirectory(prefix="workbook-") as folder:
        plain = Path(folder) / "workbook"
        plain.symlink_to(path.resolve())
        try:
            yield fastexcel.read_excel(plain)
        except fastexcel.FastExcelError as error:
            raise _unreadable(error) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of the reader, which names it nowhere
                raise
            raise _unreadable(error) from error


def _unreadable(error: BaseException) -> BrokenFile:
    cause = next(iter(str(error).splitlines()), type(error).__name__)
    if "assword" in cause:
        return BrokenFile("The workbook is protected by a password.", "Save it without one.")
    return BrokenFile(f"The workbook cannot be read: {cause}.", "Open and save it in Excel again.")


def _refuse_bomb(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(4) == OLE:
            return  # nothing in it is packed
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except DAMAGED as error:
        raise BrokenFile("The workbook is cut off or damaged.", "Copy or save it again.") from error
    allowed = min(LARGEST_UNPACKED, max(SMALL, LARGEST_RATIO * path.stat().st_size))
    if unpacked > allowed:
        raise FileTooLarge(
            f"The workbook unpacks to {unpacked / 1e6:,.0f} MB, more than {allowed / 1e6:,.0f} MB.",
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
    refuse_width(len(names))
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
    advice = "To read another one, name its sheet when you add the file."
    return [Finding("sheets", Severity.NOTE, message, advice=advice)]


SHEETS = Tables(sheets, read_sheet)

XLSX = Format("xlsx", "Excel", (".xlsx", ".xlsm"), _holds("xl/workbook.xml"), read, tables=SHEETS)
XLSB = Format("xlsb", "Excel, binary", (".xlsb",), _holds("xl/workbook.bin"), read, tables=SHEETS)
XLS = Format("xls", "Excel, before 2007", (".xls",), _is_old, read, tables=SHEETS)
ODS = Format("ods", "OpenDocument", (".ods",), _is_ods, read_ods, tables=Tables(sheets, read_ods_sheet))
