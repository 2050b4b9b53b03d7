"""The table of projects that users share. The private one of a user is not in it: it bears the user's id."""

from __future__ import annotations

import dataclasses
from typing import Any

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.errors import Conflict, NotFound
from flowml.storage.records import Project, UserRole


def insert(cursor: Cursor, project: Project) -> None:
    cursor.execute("INSERT INTO project VALUES (?, ?)", [project.id, rows.encode(project)])


def get(cursor: Cursor, id: str) -> Project:
    found = rows.select(cursor, Project, "SELECT record FROM project WHERE id = ?", [id])
    if not found:
        raise NotFound(f"There is no project {id}.", "It may have been removed.")
    return found[0]


def list_(cursor: Cursor) -> tuple[Project, ...]:
    """Oldest first."""
    return rows.select(cursor, Project, "SELECT record FROM project ORDER BY id")


def update(cursor: Cursor, id: str, **changes: Any) -> Project:
    changed = dataclasses.replace(get(cursor, id), **changes)
    cursor.execute("UPDATE project SET record = ? WHERE id = ?", [rows.encode(changed), id])
    return changed


def delete(cursor: Cursor, id: str) -> None:
    """Removes an empty project."""
    get(cursor, id)
    for table, present in (("dataset", "NOT deleted"), ("job", "true")):
        if rows.number(cursor, f"SELECT count(*) FROM {table} WHERE project = ? AND {present}", [id]):
            raise Conflict(
                f"The project {id} is not empty: there is a {table} in it.", "Move or delete it first."
            )
    cursor.execute("DELETE FROM project WHERE id = ?", [id])


def roles(cursor: Cursor, user_id: str, own: UserRole) -> dict[str, UserRole]:
    """The projects of a user, and what the user is in each: the owner is what it is everywhere (`own`)."""
    return {
        project.id: own if project.owner == user_id else project.members[user_id]
        for project in list_(cursor)
        if user_id in (project.owner, *project.members)
    }
