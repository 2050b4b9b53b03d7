"""Steps that bring the tables up to date: numbered SQL files, each applied once in its own transaction.

To add one: write `NNNN_what_it_does.sql` with the next number. Steps that were released never change.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from flowml.storage.errors import StorageError

FOLDER = Path(__file__).parent
NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True)
class Step:
    version: int
    name: str
    sql: str


def steps() -> tuple[Step, ...]:
    return tuple(_step(path) for path in sorted(FOLDER.glob("*.sql")))


def after(version: int) -> tuple[Step, ...]:
    """The steps that a database of this version lacks. Refuses one made by a newer program."""
    known = steps()
    if version > known[-1].version:
        raise StorageError(
            f"The database is of version {version}, this program knows versions up to {known[-1].version}.",
            "Start the newer FlowML Studio that made it.",
        )
    return tuple(step for step in known if step.version > version)


def version(cursor: duckdb.DuckDBPyConnection) -> int:
    """The last step that was applied; 0 for an empty database."""
    found = cursor.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'schema_migration'").fetchall()
    if not found:
        return 0
    ((last,),) = cursor.execute("SELECT coalesce(max(version), 0) FROM schema_migration").fetchall()
    return int(last)


def apply(cursor: duckdb.DuckDBPyConnection, step: Step) -> None:
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration (version INTEGER PRIMARY KEY, applied_at DOUBLE)"
    )
    cursor.execute(step.sql)
    cursor.execute("INSERT INTO schema_migration VALUES (?, ?)", [step.version, time.time()])


def _step(path: Path) -> Step:
    name = NAME.fullmatch(path.name)
    if not name:
        raise StorageError(f"{path.name} is no migration's name; expected NNNN_words.sql.")
    return Step(int(name[1]), path.name, path.read_text("utf-8"))
