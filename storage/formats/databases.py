"""SQLite and DuckDB files: one of their tables, read only. Their views and triggers never run."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import polars as pl

from flowml.storage.errors import BrokenFile, EmptyFile
from flowml.storage.formats.row import Format, Tables
from flowml.storage.known import known
from flowml.storage.reading import Reading, refuse_width
from flowml.storage.records import Finding, Severity

SQLITE_MAGIC = b"SQLite format 3\x00"
ROWS = 20_000  # read at once
SQLITE_ALLOWED = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ))
SQLITE_PRAGMA = "table_info"  # the only one that may be asked while a table is read
DUCKDB_OPTIONS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_unsigned_extensions": False,
    "lock_configuration": True,
    "memory_limit": "200MB",
    "threads": 1,
}


# --- SQLite -----------------------------------------------------------------------------------------------


def sqlite_tables(path: Path) -> tuple[str, ...]:
    with _sqlite(path) as connection:
        return _sqlite_names(connection)


def read_sqlite(path: Path) -> Reading:
    with _sqlite(path) as connection:
        names = _sqlite_names(connection)
        filled = next((name for name in names if _has_rows(connection, name)), "")
        return _with_finding(_read_sqlite(connection, _first(filled, names)), names)


def read_sqlite_table(path: Path, table: str) -> Reading:
    with _sqlite(path) as connection:
        return _read_sqlite(connection, table)


@contextlib.contextmanager
def _sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    """Nothing is written beside the file, and nothing that stands in the file is run."""
    address = path.resolve().as_uri() + "?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(address, uri=True)
        with contextlib.closing(connection):
            connection.text_factory = _text
            for pragma in (
                "trusted_schema = OFF",
                "query_only = ON",
                "cell_size_check = ON",
                "mmap_size = 0",
            ):
                connection.execute(f"PRAGMA {pragma}")
            connection.set_authorizer(_only_read)
            yield connection
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise BrokenFile(
            f"The SQLite database cannot be read: {error}.", "Export the table as CSV."
        ) from error


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _only_read(action: int, first: str | None, *_: object) -> int:
    asks = action == sqlite3.SQLITE_PRAGMA and first == SQLITE_PRAGMA
    return sqlite3.SQLITE_OK if asks or action in SQLITE_ALLOWED else sqlite3.SQLITE_DENY


def _sqlite_names(connection: sqlite3.Connection) -> tuple[str, ...]:
    sql = "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY rowid"
    found = [(str(name), str(made).upper()) for name, made in connection.execute(sql).fetchall()]
    return tuple(
        name for name, made in found if not name.startswith("sqlite_") and "VIRTUAL TABLE" not in made
    )


def _has_rows(connection: sqlite3.Connection, name: str) -> bool:
    return connection.execute(f"SELECT 1 FROM {_quoted(name)} LIMIT 1").fetchone() is not None


def _read_sqlite(connection: sqlite3.Connection, table: str) -> Reading:
    declared = connection.execute(f"PRAGMA {SQLITE_PRAGMA}({_quoted(table)})").fetchall()
    truths = {name for _, name, kind, *_ in declared if str(kind).upper().startswith("BOOL")}
    cursor = connection.execute(f"SELECT * FROM {_quoted(table)}")
    names = tuple(str(column[0]) for column in cursor.description)
    refuse_width(len(names))
    parts: list[list[pl.Series]] = [[] for _ in names]
    while rows := cursor.fetchmany(ROWS):
        for part, cells in zip(parts, zip(*rows, strict=True), strict=True):
            part.append(_series(cells))
    if not parts or not parts[0]:
        raise EmptyFile(f"The table {table!r} has no rows.", "Add a file with at least one row.")
    columns = [_truth(_joined(part), name in truths) for part, name in zip(parts, names, strict=True)]
    frame = pl.DataFrame([column.alias(str(at)) for at, column in enumerate(columns)])
    return Reading(frame, names, table=table)


def _truth(column: pl.Series, declared: bool) -> pl.Series:
    """SQLite keeps true and false as 1 and 0."""
    fits = declared and column.dtype == pl.Int64 and column.drop_nulls().is_in([0, 1]).all()
    return column.cast(pl.Boolean) if fits else column


def _series(cells: Sequence[object]) -> pl.Series:
    """SQLite types each cell on its own; a column gets the narrowest type that takes all of them."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int}:
        return pl.Series(cells, dtype=pl.Int64)
    if kinds <= {int, float}:
        return pl.Series(cells, dtype=pl.Float64, strict=False)
    if kinds == {bytes}:
        return pl.Series(cells, dtype=pl.Binary)
    words = [None if cell is None else _word(cell) for cell in cells]
    return pl.Series(words, dtype=pl.String)


def _word(cell: object) -> str:
    return cell.hex() if isinstance(cell, bytes) else str(cell)


def _joined(parts: Sequence[pl.Series]) -> pl.Series:
    dtypes = {part.dtype for part in parts if part.null_count() < len(part)} or {pl.String()}
    if len(dtypes) == 1:
        dtype = dtypes.pop()
    elif dtypes <= {pl.Int64(), pl.Float64()}:
        dtype = pl.Float64()
    else:
        dtype = pl.String()
    if dtype == pl.String:
        parts = [_as_words(part) for part in parts]
    return pl.concat([part if part.dtype == dtype else part.cast(dtype) for part in parts])


def _as_words(part: pl.Series) -> pl.Series:
    return part.bin.encode("hex") if part.dtype == pl.Binary else part.cast(pl.String)


# --- DuckDB -----------------------------------------------------------------------------------------------


def is_duckdb(head: bytes, _: Path) -> bool:
    return len(head) > 12 and head[8:12] == b"DUCK"


def duckdb_tables(path: Path) -> tuple[str, ...]:
    with _duckdb(path) as connection:
        return tuple(_duckdb_names(connection))


def read_duckdb(path: Path) -> Reading:
    with _duckdb(path) as connection:
        names = _duckdb_names(connection)
        sizes = {shown: _count(connection, name) for shown, name in names.items()}
        first = _first(next((shown for shown, size in sizes.items() if size), ""), tuple(names))
        return _with_finding(_read_duckdb(connection, first, names[first]), tuple(names))


def read_duckdb_table(path: Path, table: str) -> Reading:
    with _duckdb(path) as connection:
        return _read_duckdb(connection, table, _duckdb_names(connection)[table])


@contextlib.contextmanager
def _duckdb(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(str(path.resolve()), read_only=True, config=DUCKDB_OPTIONS) as connection:
            yield connection
    except duckdb.Error as error:
        cause = str(error).splitlines()[0].rstrip(".").replace(str(path.resolve()), path.name)
        raise BrokenFile(
            f"The DuckDB database cannot be read: {cause}.", "Export the table as Parquet."
        ) from error


def _duckdb_names(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What a table is called, and how a query names it."""
    sql = (
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND NOT internal AND NOT temporary ORDER BY table_oid"
    )
    found = connection.execute(sql).fetchall()
    return {
        table if schema == "main" else f"{schema}.{table}": f"{_quoted(schema)}.{_quoted(table)}"
        for schema, table in found
    }


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    ((count,),) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()
    return int(count)


def _read_duckdb(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> Reading:
    batches = connection.sql(f"SELECT * FROM {name}").to_arrow_reader(ROWS)
    names = tuple(batches.schema.names)
    refuse_width(len(names))
    places = [str(at) for at in range(len(names))]
    frame = pl.DataFrame(pl.from_arrow(known(batches.read_all().rename_columns(places))))
    if frame.is_empty():
        raise EmptyFile(f"The table {table!r} has no rows.", "Add a file with at least one row.")
    return Reading(frame, names, table=table)


# --- both -------------------------------------------------------------------------------------------------


def _first(filled: str, names: Sequence[str]) -> str:
    if not names:
        raise EmptyFile("The database has no table; views are not read.", "Keep the view's rows in a table.")
    if not filled:
        raise EmptyFile("No table of the database has a row.", "Add a file with at least one row.")
    return filled


def _with_finding(reading: Reading, names: Sequence[str]) -> Reading:
    if len(names) == 1:
        return reading
    message = f"The database has {len(names)} tables; {reading.table!r} was read."
    advice = "To read another one, name the table when you add the file."
    finding = Finding("tables", Severity.NOTE, message, advice=advice)
    return Reading(reading.frame, reading.names, findings=(finding,), table=reading.table)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


SQLITE = Format(
    "sqlite",
    "SQLite",
    (".sqlite", ".sqlite3", ".db"),
    lambda head, _: head.startswith(SQLITE_MAGIC),
    read_sqlite,
    tables=Tables(sqlite_tables, read_sqlite_table),
)
DUCKDB = Format(
    "duckdb", "DuckDB", (".duckdb",), is_duckdb, read_duckdb, tables=Tables(duckdb_tables, read_duckdb_table)
)
