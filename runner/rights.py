"""What somebody may ask: each public method names the scope it needs, and its name in the audit log.

    @right(Scope.WRITE, "dataset.delete")
    def delete_dataset(self, id: str) -> None: ...

A test over all such methods notices one without a right.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, Self, TypeVar

from flowml.storage import audit
from flowml.storage.db import Database
from flowml.storage.errors import FlowMLError, NotAllowed
from flowml.storage.records import OWNER, AuditEntry, Person, Scope

P = ParamSpec("P")
S = TypeVar("S", bound="Seat")
T = TypeVar("T")

WORDS = {
    Scope.READ: "look at this",
    Scope.PREDICT: "ask models",
    Scope.WRITE: "change anything",
    Scope.ADMIN: "do what administrators do",
}


class Right(NamedTuple):
    scope: Scope
    note: str  # name in the audit log; empty: not noted


class Seat:
    """From here somebody asks. `as_person` gives the same place to another, who may see and do less."""

    who: Person = OWNER

    def __init__(self, db: Database) -> None:
        self._db = db

    def as_person(self, who: Person) -> Self:
        seat = copy.copy(self)
        seat.who = who
        return seat

    def note(self, action: str, subject: str = "", outcome: str = "done") -> None:
        note(self._db, self.who, action, subject, outcome)

    def _see(self, project: str, what: FlowMLError) -> None:
        """Raises `what`, as if it did not exist, where the project may not be seen."""
        if not self.who.sees(project):
            raise what

    def _must_change(self, project: str, what: str) -> None:
        if not self.who.may_change(project):
            raise NotAllowed(
                f"{what} lies in a project where {self.who.name} may only look.",
                "Ask the owner of the project for the role editor.",
            )


def note(db: Database, who: Person, action: str, subject: str = "", outcome: str = "done") -> None:
    entry = AuditEntry(time.time(), who.name, action, subject[:200], outcome, who.address, who.via)
    with db.write(passing=True) as cursor:
        audit.insert(cursor, entry)


def right(
    scope: Scope, action: str = "", *others: Scope
) -> Callable[[Callable[Concatenate[S, P], T]], Callable[Concatenate[S, P], T]]:
    """Marks a method of a Seat. A refusal is always noted, a change where it has a name for the audit log.

    Any of `others` suffices in the place of `scope`.
    """

    def mark(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
        @wraps(method)
        def asked(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            subject = _text(args[0]) if args else ""
            if not any(map(self.who.may, (scope, *others))):
                self.note(action or method.__name__, subject, "refused")
                raise refused(self.who, scope)
            try:
                found = method(self, *args, **kwargs)
            except NotAllowed:
                self.note(action or method.__name__, subject, "refused")
                raise
            if action:
                self.note(action, _text(getattr(found, "id", "")) or subject)
            return found

        asked.right = Right(scope, action)  # type: ignore[attr-defined]
        return asked

    return mark


def refused(who: Person, scope: Scope) -> NotAllowed:
    allowed = ", ".join(sorted(who.scopes)) or "nothing"
    return NotAllowed(
        f"{who.name} may not {WORDS[scope]}: it needs the scope {scope}, and there is {allowed}.",
        "Ask an administrator for another role, or use a token with that scope.",
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
