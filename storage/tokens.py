"""The table of API tokens. Only the hash of a token is kept."""

from __future__ import annotations

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.errors import NotFound
from flowml.storage.records import Token


def insert(cursor: Cursor, token: Token) -> None:
    cursor.execute(
        "INSERT INTO token VALUES (?, ?, ?, ?)", [token.id, token.key, token.user_id, rows.encode(token)]
    )


def get(cursor: Cursor, id: str) -> Token:
    found = rows.select(cursor, Token, "SELECT record FROM token WHERE id = ?", [id])
    if not found:
        raise NotFound(f"There is no token {id}.", "It may have been revoked.")
    return found[0]


def find(cursor: Cursor, key: str) -> Token | None:
    found = rows.select(cursor, Token, "SELECT record FROM token WHERE key = ?", [key])
    return found[0] if found else None


def list_(cursor: Cursor, user_id: str | None = None) -> tuple[Token, ...]:
    """All, or those of a user, newest first."""
    condition, values = rows.where(user_id=user_id)
    return rows.select(cursor, Token, f"SELECT record FROM token{condition} ORDER BY id DESC", values)


def update(cursor: Cursor, token: Token) -> None:
    """Writes it anew; one that was revoked meanwhile stays revoked."""
    cursor.execute("UPDATE token SET record = ? WHERE id = ?", [rows.encode(token), token.id])


def delete(cursor: Cursor, id: str) -> None:
    cursor.execute("DELETE FROM token WHERE id = ?", [id])


def delete_of_user(cursor: Cursor, user_id: str) -> None:
    cursor.execute("DELETE FROM token WHERE user_id = ?", [user_id])
