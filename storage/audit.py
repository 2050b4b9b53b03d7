"""The table of what users did: only ever added to, until it is old."""

from __future__ import annotations

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.records import AuditEntry


def insert(cursor: Cursor, entry: AuditEntry) -> None:
    cursor.execute(
        "INSERT INTO audit VALUES (?, ?, ?, ?, ?)",
        [entry.at, entry.who, entry.action, entry.subject, rows.encode(entry)],
    )


def list_(
    cursor: Cursor,
    who: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[AuditEntry, ...]:
    """Newest first."""
    condition, values = rows.where(who=who, action=action, subject=subject)
    sql = f"SELECT record FROM audit{condition} ORDER BY noted_at DESC LIMIT ? OFFSET ?"
    return rows.select(cursor, AuditEntry, sql, [*values, limit, offset])


def drop_before(cursor: Cursor, at: float) -> None:
    cursor.execute("DELETE FROM audit WHERE noted_at < ?", [at])
