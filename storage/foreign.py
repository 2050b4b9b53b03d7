"""The table of ONNX files that others made."""

from __future__ import annotations

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.errors import NotFound
from flowml.storage.records import ForeignModel


def insert(cursor: Cursor, model: ForeignModel) -> None:
    cursor.execute(
        "INSERT INTO foreign_model VALUES (?, ?, ?)", [model.id, model.created_at, rows.encode(model)]
    )


def get(cursor: Cursor, id: str) -> ForeignModel:
    found = rows.select(cursor, ForeignModel, "SELECT record FROM foreign_model WHERE id = ?", [id])
    if not found:
        raise NotFound(f"There is no ONNX file {id} of others.", "It may have been removed.")
    return found[0]


def list_(cursor: Cursor) -> tuple[ForeignModel, ...]:
    """Newest first."""
    sql = "SELECT record FROM foreign_model ORDER BY created_at DESC, id"
    return rows.select(cursor, ForeignModel, sql)


def delete(cursor: Cursor, id: str) -> None:
    cursor.execute("DELETE FROM foreign_model WHERE id = ?", [id])
