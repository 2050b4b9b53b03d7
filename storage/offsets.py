"""How far each stream was read. Written in one transaction with what was read, it makes facts arrive once."""

from __future__ import annotations

from flowml.storage.db import Cursor

START = "0"


def get(cursor: Cursor, stream: str) -> str:
    """The id of the last entry that was read; '0' before the first."""
    found = cursor.execute("SELECT id FROM stream_offset WHERE stream = ?", [stream]).fetchall()
    return str(found[0][0]) if found else START


def put(cursor: Cursor, stream: str, id: str) -> None:
    cursor.execute(
        "INSERT INTO stream_offset VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET id = excluded.id",
        [stream, id],
    )
