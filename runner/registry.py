"""The registry of models, as the client keeps it: names, versions, aliases, and what they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flowml.runner.desk import Desk
from flowml.runner.rights import right
from flowml.storage import models, registry
from flowml.storage.db import Cursor
from flowml.storage.errors import Conflict, InputError, NotFound
from flowml.storage.records import Model, RegisteredModel, Scope

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MOST_NOTE = 2000
MOST_NAMED = 5  # columns in one sentence


class Registry(Desk):
    @right(Scope.WRITE, "model.register")
    def register_model(
        self, name: str, model_id: str, note: str = "", alias: str = "", anyway: bool = False
    ) -> RegisteredModel:
        """The model as the next version of the name, in the model's project, with an alias as by `promote`.

        Raises InputError, NotFound, Conflict.
        """
        name = checked(name, "name")
        with self._db.read() as cursor:
            project = models.project(cursor, model_id)
            self._see(project, models.unknown(model_id))
            model = models.get(cursor, model_id)
        self._must_change(project, f"The model {model.name!r}")
        wanted = RegisteredModel(
            name, 0, model.id, model.job_id, project, self._clock(), self._owner, note.strip()[:MOST_NOTE]
        )
        with self._db.write() as cursor:
            made = registry.insert(cursor, wanted)
            if alias:
                self._point(cursor, made, alias, anyway)
        return self._version(name, made.version, project)

    @right(Scope.READ)
    def registered(self, name: str | None = None) -> tuple[RegisteredModel, ...]:
        """All versions, or those of a name, newest first. Raises NotFound for a name without any."""
        with self._db.read() as cursor:
            found = registry.list_(cursor, self._projects, name)
        if name is not None and not found:
            raise NotFound(f"No model is registered as {name}.", "Register one first.")
        return found

    @right(Scope.READ)
    def registered_version(self, name: str, version: int) -> RegisteredModel:
        return self._version(name, version)

    @right(Scope.WRITE, "model.promote")
    def promote(self, name: str, version: int, alias: str, anyway: bool = False) -> RegisteredModel:
        """Points the alias at this version, wherever it pointed before.

        Raises Conflict where programs that ask for the alias would be answered otherwise, unless `anyway`.
        """
        found = self._changeable_version(name, version)
        with self._db.write() as cursor:
            self._point(cursor, found, alias, anyway)
        return self._version(name, version, found.project)

    @right(Scope.WRITE, "model.demote")
    def drop_alias(self, name: str, alias: str) -> None:
        found = self.pointed_at(name, alias)
        self._must_change(found.project, f"The model {name}")
        with self._db.write() as cursor:
            registry.drop_alias(cursor, found.project, name, alias)

    @right(Scope.WRITE, "model.unregister")
    def unregister(self, name: str, version: int) -> None:
        """Takes a version out of the registry; the model stays. Raises Conflict while it has an alias."""
        found = self._changeable_version(name, version)
        if found.aliases:
            raise Conflict(
                f"Version {version} of {name} is {', '.join(found.aliases)}.",
                "Point the alias elsewhere, or remove it first.",
            )
        with self._db.write() as cursor:
            registry.delete(cursor, found)

    @right(Scope.READ, "", Scope.PREDICT, Scope.WRITE)
    def pointed_at(self, name: str, alias: str) -> RegisteredModel:
        """The version of a name that bears an alias."""
        with self._db.read() as cursor:
            found = registry.list_(cursor, self._projects, name)
        return self._one([each for each in found if alias in each.aliases], f"{name}@{alias}")

    @right(Scope.READ, "", Scope.PREDICT, Scope.WRITE)
    def model_id(self, ref: str) -> str:
        """The id of the model that is meant: `name@alias`, `name:version`, or an id itself."""
        for mark in ("@", ":"):
            name, found, rest = ref.partition(mark)
            if found and mark == "@":
                return self.pointed_at(name, rest).model_id
            if found and rest.isdecimal():
                return self._version(name, int(rest)).model_id
        return ref

    def _point(self, cursor: Cursor, at: RegisteredModel, alias: str, anyway: bool) -> None:
        checked(alias, "alias")
        for each in () if anyway else registry.list_(cursor, [at.project], at.name):
            if alias in each.aliases and (told := _differences(cursor, each.model_id, at.model_id)):
                raise Conflict(
                    f"{at.name}@{alias} is version {each.version} now, and {'; '.join(told)}.",
                    "Take another alias, or move this one all the same with `anyway`.",
                )
        registry.set_alias(cursor, at, alias)

    def _changeable_version(self, name: str, version: int) -> RegisteredModel:
        found = self._version(name, version)
        self._must_change(found.project, f"The model {name}")
        return found

    def _version(self, name: str, version: int, project: str | None = None) -> RegisteredModel:
        with self._db.read() as cursor:
            found = registry.list_(cursor, self._projects, name)
        those = [each for each in found if each.version == version and project in (None, each.project)]
        return self._one(those, f"{name}:{version}")

    def _one(self, found: list[RegisteredModel], asked: str) -> RegisteredModel:
        """The one that is meant: of several projects that use the name, one's own comes first."""
        if not found:
            raise NotFound(f"No model is registered as {asked}.", "Look at the names in the registry.")
        own = [each for each in found if each.project == self.who.home]
        if len(found) > 1 and not own:
            raise Conflict(f"Several projects have a model {asked}.", "Name it by its id.")
        return (own or found)[0]


def checked(text: str, what: str) -> str:
    if not NAME.fullmatch(text):
        raise InputError(
            f"{text[:80]!r} is no {what}; expected up to 64 letters, digits and . _ -.",
            "Begin with a letter or a digit.",
        )
    return text


def _differences(cursor: Cursor, old: str, new: str) -> list[str]:
    try:
        return differences(models.get(cursor, old), models.get(cursor, new))
    except NotFound:  # nobody can ask for the old one
        return []


def differences(old: Model, new: Model) -> list[str]:
    """What a program that asks `old` and sends what it wants would notice if `new` answered it."""
    told = []
    if old.task is not new.task:
        told.append(f"the other model is for {new.task}, not {old.task}")
    elif old.contract.get("classes", []) != new.contract.get("classes", []):
        told.append(f"the other model answers {_named(new.contract.get('classes', []))}")
    had, wants = _kinds(old), _kinds(new)
    if more := [name for name in wants if name not in had]:
        told.append(f"the other model expects {_named(more)} besides")
    told += [
        f"{name} is {had[name]} for one and {kind} for the other"
        for name, kind in list(wants.items())
        if name in had and had[name] != kind
    ][:MOST_NAMED]
    return told


def _kinds(model: Model) -> dict[str, str]:
    return {str(each["name"]): str(each["kind"]) for each in model.contract.get("columns", [])}


def _named(names: Iterable[object]) -> str:
    texts = [str(name)[:40] for name in names]
    more = len(texts) - MOST_NAMED
    return ", ".join(texts[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
