"""The table of sessions: browsers that are signed in."""

from __future__ import annotations

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.records import Session


def insert(cursor: Cursor, session: Session) -> None:
    cursor.execute(
        "INSERT INTO session VALUES (?, ?, ?, ?)",
        [session.key, session.user_id, session.expires_at, rows.encode(session)],
    )


def find(cursor: Cursor, key: str) -> Session | None:
    found = rows.select(cursor, Session, "SELECT record FROM session WHERE key = ?", [key])
    return found[0] if found else None


def list_(cursor: Cursor, user_id: str) -> tuple[Session, ...]:
    """Those of a user, the one that ends last first."""
    sql = "SELECT record FROM session WHERE user_id = ? ORDER BY expires_at DESC"
    return rows.select(cursor, Session, sql, [user_id])


def update(cursor: Cursor, session: Session) -> None:
    """Writes it anew; one that was ended meanwhile stays ended."""
    cursor.execute(
        "UPDATE session SET expires_at = ?, record = ? WHERE key = ?",
        [session.expires_at, rows.encode(session), session.key],
    )


def delete(cursor: Cursor, key: str) -> None:
    cursor.execute("DELETE FROM session WHERE key = ?", [key])


def delete_of_user(cursor: Cursor, user_id: str, but: str = "") -> None:
    """All of a user, but the one with the key `but`."""
    cursor.execute("DELETE FROM session WHERE user_id = ? AND key <> ?", [user_id, but])


def drop_before(cursor: Cursor, at: float) -> None:
    """Removes those that have expired."""
    cursor.execute("DELETE FROM session WHERE expires_at < ?", [at])
