"""The formats that tables come in, and how a file is recognised: by its content, whatever its name says.

To add one: a module with a `Format` row, and the row in FORMATS. The rows exclude each other, except that
one JSON record on a line of its own goes by the name.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath

import polars as pl

from flowml.storage.canonical import settle
from flowml.storage.errors import BrokenFile, EmptyFile, FileError, UnknownFormat
from flowml.storage.formats import wrapped
from flowml.storage.formats.arff import ARFF
from flowml.storage.formats.columnar import ARROW, AVRO, ORC, PARQUET
from flowml.storage.formats.databases import DUCKDB, SQLITE
from flowml.storage.formats.delimited import CSV, TSV, TXT
from flowml.storage.formats.documents import TOML, YAML
from flowml.storage.formats.excel import ODS, XLS, XLSB, XLSX
from flowml.storage.formats.objects import JSON, JSON_LINES
from flowml.storage.formats.row import HEAD_BYTES, Format
from flowml.storage.formats.strangers import stranger

FORMATS: tuple[Format, ...] = (
    PARQUET,
    ARROW,
    ORC,
    AVRO,
    XLSX,
    XLSB,
    XLS,
    ODS,
    SQLITE,
    DUCKDB,
    ARFF,
    JSON,
    JSON_LINES,
    YAML,
    TOML,
    CSV,
    TSV,
    TXT,
)
SUFFIXES = frozenset(suffix for row in FORMATS for suffix in row.suffixes)
TABLES_OR_WRAPPED = SUFFIXES | frozenset(wrapped.SUFFIXES)
LIMIT = 20 * 10**9  # bytes that a packed file may unpack to, unless told otherwise
DEEPEST = 3  # a table in a gzip file in a ZIP archive, say


@dataclass(frozen=True)
class Located:
    """A table's own file: the one that was given, or what was unpacked of it."""

    path: Path
    name: str
    format: Format
    table: str = ""  # the one that was asked for, in this file
    member: str = ""  # of the archive that the file came in
    others: tuple[str, ...] = ()  # members of that archive, where there are several

    @property
    def names(self) -> tuple[str, ...]:
        """What may be asked for as `table`."""
        return self.others or self.format.names(self.path)


def recognise(path: Path, name: str) -> Format:
    """The format of a file. Raises EmptyFile or UnknownFormat, which says what the file seems to be."""
    head = _head(path, name)
    row = _row(head, path, name)
    if row is None:
        raise _unknown(name, head)
    return row


def locate(path: Path, name: str, folder: Path, table: str = "", limit: int = LIMIT) -> Located:
    """Finds the table, unpacked into `folder` where the file wraps one. Raises what `recognise` raises."""
    member, others = "", tuple[str, ...]()
    for depth in range(DEEPEST + 1):
        head = _head(path, name)
        row = _row(head, path, name)
        if row is not None:
            return Located(path, name, row, table, member, others)
        packed = wrapped.wrapper_of(head)
        if not packed and not wrapped.is_zip(head):
            raise _unknown(name, head)
        target = folder / f"unpacked-{depth}"
        if packed:
            wrapped.unpack(packed, path, name, target, limit)
            path, name = target, wrapped.bare_name(name)
            continue
        found = wrapped.members(path, name, TABLES_OR_WRAPPED)
        several = len(found) > 1
        member = wrapped.unpack_member(path, name, table if several else "", TABLES_OR_WRAPPED, target, limit)
        path, name = target, member
        if several:
            others, table = found, ""
    raise BrokenFile(f"{name} is packed more than {DEEPEST} times.", "Unpack it and add the file inside.")


def read(path: Path, name: str, table: str = "") -> tuple[pl.DataFrame, str]:
    """The table in a file, its columns named and typed as we keep them, and the key of its format."""
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        found = locate(path, name, Path(folder), table)
        return settle(found.format.open(found.path, found.table)).frame, found.format.key


def _head(path: Path, name: str) -> bytes:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise EmptyFile(f"{name} is empty: it has no bytes.", "Add a file with a header line and rows.")
    return head


def _row(head: bytes, path: Path, name: str) -> Format | None:
    suffix = PurePath(name).suffix.lower()
    by_name = sorted(FORMATS, key=lambda row: suffix not in row.suffixes)
    return next((row for row in by_name if row.recognise(head, path)), None)


def _unknown(name: str, head: bytes) -> FileError:
    if not head.strip():
        return EmptyFile(f"{name} holds blanks only.", "Add a file with a header line and rows.")
    kind, advice = stranger(head)
    labels = ", ".join(row.label for row in FORMATS)
    found = f"{name} is {kind}, not a table" if kind else f"{name} holds bytes of no format that is read here"
    return UnknownFormat(f"{found}.", advice or f"Formats that are read: {labels}.")
