"""People who use a studio, what they may do, and what they did."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowml.storage.records.record import Record
from flowml.storage.records.words import Scope, UserRole

SHARED = ""  # the project that everybody sees; what is made in a studio without logins lies here

SCOPES: dict[UserRole, frozenset[Scope]] = {
    UserRole.VIEWER: frozenset({Scope.READ, Scope.PREDICT}),
    UserRole.EDITOR: frozenset({Scope.READ, Scope.PREDICT, Scope.WRITE}),
    UserRole.ADMIN: frozenset(Scope),
}


@dataclass(frozen=True)
class User(Record):
    """Somebody with a login. What is private to a user lies in the project of the same id."""

    id: str
    name: str
    role: UserRole
    created_at: float
    password: str = field(default="", repr=False)  # its hash; empty: no login by password
    email: str = ""  # by which a login elsewhere is recognised
    disabled: bool = False


@dataclass(frozen=True)
class Session(Record):
    """A browser that is signed in. `key` is the hash of the secret in its cookie."""

    key: str = field(repr=False)
    user_id: str
    created_at: float
    expires_at: float
    used_at: float
    address: str = ""


@dataclass(frozen=True)
class Token(Record):
    """A key for programs, which never may do more than its user. `key` is the hash of its secret."""

    id: str
    key: str = field(repr=False)
    user_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: float
    expires_at: float | None = None
    used_at: float | None = None


@dataclass(frozen=True)
class Project(Record):
    """Datasets, jobs and models that some users share. The owner may do what its role allows."""

    id: str
    name: str
    owner: str  # id of a user
    created_at: float
    members: dict[str, UserRole] = field(default_factory=dict)  # id of a user -> at most this role


@dataclass(frozen=True)
class AuditEntry(Record):
    """Who did what."""

    at: float
    who: str  # name of a user
    action: str
    subject: str = ""  # id of what it was done to
    outcome: str = "done"  # or refused
    address: str = ""
    via: str = ""  # session, or the id of a token


@dataclass(frozen=True)
class Person:
    """Who asks, and what may be done and seen on its behalf. Made for each request, never stored."""

    id: str
    name: str
    role: UserRole
    scopes: frozenset[Scope]
    projects: dict[str, UserRole] = field(default_factory=dict)  # those it is a member of or owns
    address: str = ""
    via: str = ""

    @property
    def everywhere(self) -> bool:
        """Whether it sees the projects of all."""
        return self.role is UserRole.ADMIN

    @property
    def home(self) -> str:
        """The project that what it makes lies in, unless it says otherwise."""
        return self.id

    @property
    def visible(self) -> frozenset[str]:
        return frozenset({SHARED, self.id, *self.projects})

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    def sees(self, project: str) -> bool:
        return self.everywhere or project in self.visible

    def may_change(self, project: str) -> bool:
        """Whether what lies in the project may be changed on its behalf."""
        if not self.may(Scope.WRITE) or not self.sees(project):
            return False
        return self.everywhere or self.projects.get(project, UserRole.EDITOR) is not UserRole.VIEWER


# Who asks in a studio without logins.
OWNER = Person(SHARED, "owner", UserRole.ADMIN, frozenset(Scope))
