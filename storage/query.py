"""Rows chosen by SQL: `SELECT … FROM dataset`, and nothing else.

What the user writes runs in DuckDB inside a child process (see `apart`), which sees one table. Files, the
network, extensions, settings and other statements are refused twice: after parsing, for all tables and table
functions must be known here, and by the database, whose configuration is locked before the query is read.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import polars.selectors as cs

from flowml.storage.cells import plain
from flowml.storage.db import Cursor
from flowml.storage.errors import QueryError
from flowml.storage.known import known
from flowml.storage.names import unique_names
from flowml.storage.records import Json
from flowml.storage.schema import infer_file

TABLE = "dataset"
LONGEST = 20_000
SOURCE, MADE = "source.parquet", "made.parquet"  # names in the child's own folder, so that no path is told
WHOLE = "whole.parquet"  # the latter with the types that DuckDB cannot write
SPILL = "spill"
OPTIONS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,  # no variable of ours is a table
    "memory_limit": "1GB",
    "max_temp_directory_size": "8GB",
    "temp_directory": SPILL,
    "home_directory": ".",
    "threads": min(4, os.cpu_count() or 1),
}
NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat"})
STRANGE_FUNCTIONS = re.compile(
    r"(?i)(read_|write_|query|duckdb_|pragma_|pg_|parquet_|current_setting|getenv)"
)
# As we keep values (see `canonical`): what a type of DuckDB becomes. Others are kept as they are.
CASTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("BOOLEAN", "VARCHAR", "DATE", "TIME", "BLOB", "BIGINT"), "{0}"),
    (("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"), "{0}::BIGINT"),
    (("FLOAT", "DOUBLE"), "CASE WHEN isfinite({0}) THEN {0}::DOUBLE END"),
    (("UBIGINT", "HUGEINT", "UHUGEINT", "DECIMAL", "BIGNUM"), "{0}::DOUBLE"),
    (("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"), "{0}"),
    (("TIMESTAMP", "DATETIME"), "{0}::TIMESTAMP"),
    (("INTERVAL",), "epoch_us({0})"),
    (("ENUM", "UUID", "JSON", "BIT", "STRUCT", "MAP", "UNION", "NULL", '"NULL"'), "{0}::VARCHAR"),
)


def preview_work(request: Json) -> Json:
    """{"path", "sql", "rows"} → {"columns", "rows", "total"}: the first rows, and how many there are."""
    with _opened(Path(request["path"])) as cursor:
        sql = checked(cursor, request["sql"])
        first = _frame(cursor, f"SELECT * FROM (\n{sql}\n) LIMIT {int(request['rows'])}")
        ((total,),) = cursor.execute(f"SELECT count(*) FROM (\n{sql}\n)").fetchall()
    rows = [[plain(value) for value in row] for row in first.rows()]
    return {"columns": first.columns, "rows": rows, "total": int(total)}


def derive_work(request: Json) -> Json:
    """{"path", "sql", "target"} → {"rows", "schema"}: writes what the query gives as canonical Parquet."""
    with _opened(Path(request["path"])) as cursor:
        sql = checked(cursor, request["sql"])
        described = cursor.execute(f"DESCRIBE (\n{sql}\n)").fetchall()
        names, _ = unique_names([str(name) for name, *_ in described])
        places = [f"c{place}" for place in range(len(names))]
        chosen = ", ".join(
            f"{_as_kept(place, str(kind))} AS {_quoted(name)}"
            for place, name, (_, kind, *_) in zip(places, names, described, strict=True)
        )
        query = f"SELECT {chosen} FROM (\n{sql}\n) AS t({', '.join(places)})"
        cursor.execute(f"COPY ({query}) TO '{MADE}' (FORMAT parquet, COMPRESSION zstd)")
    lasting = [name for name, (_, kind, *_) in zip(names, described, strict=True) if kind == "INTERVAL"]
    made = _with_durations(Path(MADE), lasting)
    schema = infer_file(made)
    if not schema.rows:
        raise QueryError("The query gives no rows.", "Loosen its conditions.")
    made.replace(request["target"])
    return {"rows": schema.rows, "schema": schema.to_dict()}


def _with_durations(made: Path, names: list[str]) -> Path:
    """DuckDB writes them as numbers, for the intervals of Parquet are read by few."""
    if not names:
        return made
    whole = made.with_name(WHOLE)
    moments = [pl.col(name).cast(pl.Duration("us")) for name in names]
    pl.scan_parquet(made, glob=False).with_columns(moments).sink_parquet(whole, compression="zstd")
    return whole


def checked(cursor: Cursor, sql: str) -> str:
    """The query without its closing semicolon. Raises QueryError unless it is one SELECT."""
    bare = sql.strip().rstrip(";").strip()
    if not bare:
        raise QueryError("The query is empty.", f"Write SELECT … FROM {TABLE}.")
    if len(bare) > LONGEST:
        raise QueryError(f"The query has {len(bare):,} characters, more than {LONGEST:,}.", "Shorten it.")
    statements = cursor.extract_statements(bare)
    kinds = [statement.type for statement in statements]
    if kinds != [duckdb.StatementType.SELECT]:
        named = ", ".join(kind.name for kind in kinds) or "nothing"
        raise QueryError(
            f"The query holds {named}; expected one SELECT.", f"Write SELECT … FROM {TABLE} WHERE …"
        )
    ((tree,),) = cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [bare]).fetchall()
    stranger = _stranger(json.loads(tree))
    if stranger:
        raise QueryError(
            f"The query reaches for {stranger}, which is not for queries.", f"Only {TABLE} can be read."
        )
    return bare


def _stranger(tree: Json) -> str | None:
    """The first table, table function or statement in a parsed query that it may not use."""
    nodes = list(_nodes(tree))
    own = {TABLE} | {str(entry["key"]) for node in nodes for entry in node.get("cte_map", {}).get("map", ())}
    for node in nodes:
        kind, name = str(node.get("type", "")), str(node.get("function_name", ""))
        path = node.get("qualified_name", {}).get("path", ["?"])
        if kind == "BASE_TABLE" and (len(path) != 1 or path[0] not in own):
            return f"the table {'.'.join(map(str, path))}"
        if kind == "TABLE_FUNCTION":
            called = str(node["function"].get("function_name", "?"))
            if called not in TABLE_FUNCTIONS:
                return f"the function {called}"
        if kind == "SHOW_REF" or (kind.endswith("_NODE") and kind not in NODES):
            return f"the statement {kind.partition('_')[0]}"
        if STRANGE_FUNCTIONS.match(name):
            return f"the function {name}"
    return None


def _nodes(tree: object) -> Iterator[Json]:
    if isinstance(tree, dict):
        yield tree
        for each in tree.values():
            yield from _nodes(each)
    elif isinstance(tree, list):
        for each in tree:
            yield from _nodes(each)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Cursor]:
    """A database that holds the one table and reaches nothing else, in the present folder."""
    Path(SOURCE).symlink_to(path)
    with _in_words(), duckdb.connect(":memory:", config=OPTIONS) as cursor:
        cursor.execute(f"CREATE VIEW {TABLE} AS SELECT {_columns(path)} FROM read_parquet('{SOURCE}')")
        cursor.execute(f"SET allowed_paths = ['{SOURCE}', '{MADE}']")
        cursor.execute("SET enable_external_access = false")
        cursor.execute("SET lock_configuration = true")
        yield cursor


def _columns(path: Path) -> str:
    """All, those of durations as intervals: DuckDB takes them for numbers."""
    kinds = pl.read_parquet_schema(path)
    names = [_quoted(name) for name, kind in kinds.items() if isinstance(kind, pl.Duration)]
    intervals = ", ".join(f"to_microseconds({name}) AS {name}" for name in names)
    return f"* REPLACE ({intervals})" if names else "*"


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """What DuckDB refuses, as our own error."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise QueryError(
            "The query needs more memory than it may take.", "Ask for less, or do not sort."
        ) from error
    except duckdb.PermissionException as error:
        raise QueryError(
            "The query reaches for files, the network or settings.", f"Only the table {TABLE} can be read."
        ) from error
    except duckdb.Error as error:
        raise QueryError(
            f"The query does not work: {str(error).strip()}", "Mend it and try again."
        ) from error


def _frame(cursor: Cursor, sql: str) -> pl.DataFrame:
    """Column names as they come, which may be twice the same."""
    table: Any = cursor.sql(sql).to_arrow_table()
    names, _ = unique_names([str(name) for name in table.column_names])
    frame = pl.from_arrow(known(table.rename_columns(list(names))))
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(cs.decimal().cast(pl.Float64))


def _as_kept(place: str, kind: str) -> str:
    if kind.endswith("]"):
        # a list is kept, and not learned from
        return f"{place}::VARCHAR[]" if "INTERVAL" in kind else place
    bare = kind.partition("(")[0].strip().upper()
    form = next(
        (form for kinds, form in CASTS if bare in kinds), "{0}::TIMESTAMP" if "TIMESTAMP" in bare else "{0}"
    )
    return form.format(place)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
