"""The table of answers to requests that bore a key: asked again with the same key, they are told again."""

from __future__ import annotations

from dataclasses import dataclass

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.records import Record


@dataclass(frozen=True)
class Reply(Record):
    asked: str  # fingerprint of the request, so that a key is not used for two things
    status: int
    body: str
    media_type: str


def find(cursor: Cursor, who: str, key: str) -> Reply | None:
    found = rows.select(cursor, Reply, "SELECT record FROM reply WHERE who = ? AND key = ?", [who, key])
    return found[0] if found else None


def put(cursor: Cursor, who: str, key: str, reply: Reply, at: float) -> None:
    cursor.execute("INSERT OR REPLACE INTO reply VALUES (?, ?, ?, ?)", [who, key, at, rows.encode(reply)])


def drop_before(cursor: Cursor, at: float) -> None:
    cursor.execute("DELETE FROM reply WHERE kept_at < ?", [at])
