"""The table of facts that were applied already, for a sender that is not sure tells a fact again."""

from __future__ import annotations

from collections.abc import Collection

from flowml.storage.db import Cursor


def known(cursor: Cursor, ids: Collection[str]) -> set[str]:
    """Those of `ids` that were marked before."""
    sql = "SELECT id FROM seen_fact WHERE id IN (SELECT unnest(?::VARCHAR[]))"
    return {id for (id,) in cursor.execute(sql, [list(ids)]).fetchall()}


def mark(cursor: Cursor, ids: Collection[str], at: float) -> None:
    if ids:
        sql = "INSERT INTO seen_fact SELECT unnest(?::VARCHAR[]), ? ON CONFLICT DO NOTHING"
        cursor.execute(sql, [list(ids), at])


def drop_before(cursor: Cursor, at: float) -> None:
    """Forgets what no sender will repeat any more."""
    cursor.execute("DELETE FROM seen_fact WHERE seen_at < ?", [at])
