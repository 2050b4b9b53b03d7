"""The table of log lines from the studio and all workers."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from flowml.storage.db import Cursor
from flowml.storage.records import Level, LogLine

COLUMNS = "logged_at, level, source, message, job_id, trial"
OF_PROJECTS = "job_id IN (SELECT id FROM job WHERE project IN (SELECT unnest(?::VARCHAR[])))"


def append(cursor: Cursor, lines: Iterable[LogLine]) -> None:
    values = [
        (line.at, line.level.value, line.source, line.message, line.job_id, line.trial) for line in lines
    ]
    if values:
        # One column a list: a row at a time would take DuckDB a millisecond each.
        types = ("DOUBLE", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "INTEGER")
        columns = ", ".join(f"unnest(?::{type}[])" for type in types)
        cursor.execute(
            f"INSERT INTO log SELECT {columns}", [list(column) for column in zip(*values, strict=True)]
        )


def query(
    cursor: Cursor,
    text: str | None = None,
    level: Level | None = None,
    source: str | None = None,
    job_id: str | None = None,
    after: float | None = None,
    limit: int = 500,
    projects: Collection[str] | None = None,
) -> tuple[LogLine, ...]:
    """Lines, oldest first: the last ones, or with `after` (a time) those that follow it.

    `level` is the least that is shown; `text` is looked for in the message, whatever its case. With
    `projects` only lines of the jobs in them.
    """
    clauses: list[tuple[str, object]] = [
        ("contains(lower(message), lower(?))", text or None),
        ("list_contains(?::VARCHAR[], level)", _from(level) if level else None),
        ("source = ?", source),
        ("job_id = ?", job_id),
        ("logged_at > ?", after),
        (OF_PROJECTS, None if projects is None else sorted(projects)),
    ]
    used = [(clause, value) for clause, value in clauses if value is not None]
    condition = " WHERE " + " AND ".join(clause for clause, _ in used) if used else ""
    order = "logged_at DESC, rowid DESC" if after is None else "logged_at, rowid"
    sql = f"SELECT {COLUMNS} FROM log{condition} ORDER BY {order} LIMIT ?"
    found = cursor.execute(sql, [*(value for _, value in used), limit]).fetchall()
    lines = [LogLine(at, Level(name), *rest) for at, name, *rest in found]
    return tuple(reversed(lines) if after is None else lines)


def drop_before(cursor: Cursor, at: float) -> None:
    """Forgets what is older."""
    cursor.execute("DELETE FROM log WHERE logged_at < ?", [at])


def delete_of_job(cursor: Cursor, job_id: str) -> None:
    cursor.execute("DELETE FROM log WHERE job_id = ?", [job_id])


def _from(level: Level) -> list[str]:
    levels = [known.value for known in Level]
    return levels[levels.index(level.value) :]
