"""The formats that tables come in, and how a file is recognised: by its content, whatever its name says.

To add one: a module with a `Format` row, and the row in FORMATS. The rows exclude each other, except that
one JSON record on a line of its own goes by the name.
"""

from __future__ import annotations

from pathlib import Path, PurePath

import polars as pl

from flowml.storage.canonical import settle
from flowml.storage.errors import EmptyFile, FileError, UnknownFormat
from flowml.storage.formats.columnar import ARROW, PARQUET
from flowml.storage.formats.delimited import CSV, TSV, TXT
from flowml.storage.formats.excel import XLSX
from flowml.storage.formats.objects import JSON, JSON_LINES
from flowml.storage.formats.row import HEAD_BYTES, Format
from flowml.storage.formats.strangers import stranger

FORMATS: tuple[Format, ...] = (PARQUET, ARROW, XLSX, JSON, JSON_LINES, CSV, TSV, TXT)


def recognise(path: Path, name: str) -> Format:
    """The format of a file. Raises EmptyFile or UnknownFormat, which says what the file seems to be."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise EmptyFile(f"{name} is empty: it has no bytes.", "Add a file with a header line and rows.")
    suffix = PurePath(name).suffix.lower()
    by_name = sorted(FORMATS, key=lambda row: suffix not in row.suffixes)
    for row in by_name:
        if row.recognise(head, path):
            return row
    raise _unknown(name, head)


def read(path: Path, name: str) -> tuple[pl.DataFrame, str]:
    """The table in a file, its columns named and typed as we keep them, and the key of its format."""
    row = recognise(path, name)
    return settle(row.read(path)).frame, row.key


def _unknown(name: str, head: bytes) -> FileError:
    if not head.strip():
        return EmptyFile(f"{name} holds blanks only.", "Add a file with a header line and rows.")
    kind, advice = stranger(head)
    labels = ", ".join(row.label for row in FORMATS)
    found = f"{name} is {kind}, not a table" if kind else f"{name} holds bytes of no format that is read here"
    return UnknownFormat(f"{found}.", advice or f"Formats that are read: {labels}.")
