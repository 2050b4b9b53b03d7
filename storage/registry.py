"""The tables of the registry: versions of models under a name, and the aliases that point to one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.errors import NotFound
from flowml.storage.records import RegisteredModel


def insert(cursor: Cursor, registered: RegisteredModel) -> RegisteredModel:
    """Writes it as the next version of its name in its project."""
    sql = "SELECT coalesce(max(version), 0) FROM registered WHERE project = ? AND name = ?"
    last = rows.number(cursor, sql, [registered.project, registered.name])
    numbered = dataclasses.replace(registered, version=last + 1, aliases=())
    cursor.execute(
        "INSERT INTO registered VALUES (?, ?, ?, ?, ?)",
        [numbered.project, numbered.name, numbered.version, numbered.model_id, rows.encode(numbered)],
    )
    return numbered


def list_(
    cursor: Cursor, projects: Collection[str] | None = None, name: str | None = None
) -> tuple[RegisteredModel, ...]:
    """By name, the newest version first, each with its aliases."""
    condition, values = rows.where(name=name, project=None if projects is None else tuple(projects))
    sql = f"SELECT record FROM registered{condition} ORDER BY name, project, version DESC"
    found = rows.select(cursor, RegisteredModel, sql, values)
    aliases = _aliases(cursor)
    return tuple(
        dataclasses.replace(each, aliases=aliases.get((each.project, each.name, each.version), ()))
        for each in found
    )


def of_model(cursor: Cursor, model_id: str) -> tuple[RegisteredModel, ...]:
    """The versions that are this model."""
    sql = "SELECT record FROM registered WHERE model_id = ?"
    return rows.select(cursor, RegisteredModel, sql, [model_id])


def set_alias(cursor: Cursor, registered: RegisteredModel, alias: str) -> None:
    """Points the alias at this version, wherever it pointed before."""
    cursor.execute(
        "INSERT OR REPLACE INTO alias VALUES (?, ?, ?, ?)",
        [registered.project, registered.name, alias, registered.version],
    )


def drop_alias(cursor: Cursor, project: str, name: str, alias: str) -> None:
    sql = "DELETE FROM alias WHERE project = ? AND name = ? AND alias = ?"
    if not rows.number(cursor, sql, [project, name, alias]):
        raise NotFound(f"{name} has no alias {alias}.", "It may have been removed.")


def delete(cursor: Cursor, registered: RegisteredModel) -> None:
    """Forgets the version and its aliases. The model stays."""
    key = [registered.project, registered.name, registered.version]
    cursor.execute("DELETE FROM alias WHERE project = ? AND name = ? AND version = ?", key)
    cursor.execute("DELETE FROM registered WHERE project = ? AND name = ? AND version = ?", key)


def _aliases(cursor: Cursor) -> dict[tuple[str, str, int], tuple[str, ...]]:
    found: dict[tuple[str, str, int], tuple[str, ...]] = {}
    sql = "SELECT project, name, version, alias FROM alias ORDER BY alias"
    for project, name, version, alias in cursor.execute(sql).fetchall():
        found[project, name, version] = (*found.get((project, name, version), ()), alias)
    return found
