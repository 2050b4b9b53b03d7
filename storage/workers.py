"""The table of workers, so that those which are offline are remembered."""

from __future__ import annotations

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.errors import NotFound
from flowml.storage.records import Worker


def upsert(cursor: Cursor, worker: Worker) -> None:
    """Writes the worker, unless a later heartbeat of it is known."""
    cursor.execute(
        "INSERT INTO worker VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state, "
        "heartbeat = excluded.heartbeat, record = excluded.record "
        "WHERE worker.heartbeat <= excluded.heartbeat",
        [worker.name, worker.state, worker.heartbeat, rows.encode(worker)],
    )


def get(cursor: Cursor, name: str) -> Worker:
    found = rows.select(cursor, Worker, "SELECT record FROM worker WHERE name = ?", [name])
    if not found:
        raise NotFound(f"There is no worker named {name}.", "`flowml-worker start` adds one.")
    return found[0]


def list_(cursor: Cursor) -> tuple[Worker, ...]:
    """By name."""
    return rows.select(cursor, Worker, "SELECT record FROM worker ORDER BY name")


def delete(cursor: Cursor, name: str) -> None:
    """Forgets it; to forget who is not known is no error."""
    cursor.execute("DELETE FROM worker WHERE name = ?", [name])
