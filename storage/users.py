"""The table of users."""

from __future__ import annotations

import dataclasses
from typing import Any

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.errors import Conflict, NotFound
from flowml.storage.records import User, UserRole


def insert(cursor: Cursor, user: User) -> None:
    if named(cursor, user.name) is not None:
        raise Conflict(f"There is a user {user.name} already.", "Choose another name.")
    _refuse_email(cursor, user)
    cursor.execute(
        "INSERT INTO studio_user VALUES (?, ?, ?, ?)",
        [user.id, user.name.lower(), user.email.lower() or None, rows.encode(user)],
    )


def get(cursor: Cursor, id: str) -> User:
    found = rows.select(cursor, User, "SELECT record FROM studio_user WHERE id = ?", [id])
    if not found:
        raise NotFound(f"There is no user {id}.", "It may have been removed.")
    return found[0]


def known(cursor: Cursor, id: str) -> bool:
    return bool(rows.number(cursor, "SELECT count(*) FROM studio_user WHERE id = ?", [id]))


def named(cursor: Cursor, name: str) -> User | None:
    """The one of this name, in whatever case it is written."""
    found = rows.select(cursor, User, "SELECT record FROM studio_user WHERE name = ?", [name.lower()])
    return found[0] if found else None


def of_email(cursor: Cursor, email: str) -> User | None:
    found = rows.select(cursor, User, "SELECT record FROM studio_user WHERE email = ?", [email.lower()])
    return found[0] if found and email else None


def list_(cursor: Cursor) -> tuple[User, ...]:
    """By name."""
    return rows.select(cursor, User, "SELECT record FROM studio_user ORDER BY name")


def count(cursor: Cursor) -> int:
    return rows.number(cursor, "SELECT count(*) FROM studio_user")


def update(cursor: Cursor, id: str, **changes: Any) -> User:
    """The user after the change. The last administrator stays one; a name never changes."""
    user = get(cursor, id)
    changed = dataclasses.replace(user, **changes)
    if _administers(user) and not _administers(changed):
        _refuse_last(cursor, user)
    _refuse_email(cursor, changed)
    cursor.execute(
        "UPDATE studio_user SET email = ?, record = ? WHERE id = ?",
        [changed.email.lower() or None, rows.encode(changed), id],
    )
    return changed


def delete(cursor: Cursor, id: str) -> None:
    """Removes the user; what the user made stays where it is."""
    user = get(cursor, id)
    if _administers(user):
        _refuse_last(cursor, user)
    cursor.execute("DELETE FROM studio_user WHERE id = ?", [id])


def _administers(user: User) -> bool:
    return user.role is UserRole.ADMIN and not user.disabled


def _refuse_last(cursor: Cursor, user: User) -> None:
    if not any(_administers(other) for other in list_(cursor) if other.id != user.id):
        raise Conflict(f"{user.name} is the last administrator.", "Make another user an administrator first.")


def _refuse_email(cursor: Cursor, user: User) -> None:
    other = of_email(cursor, user.email)
    if other is not None and other.id != user.id:
        raise Conflict(f"The address {user.email} is that of the user {other.name}.", "Choose another.")
