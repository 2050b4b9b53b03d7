"""Users, tokens, projects and the audit log, as the studio manages them for who asks."""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Collection
from typing import Any, NamedTuple

from flowml.runner import passwords
from flowml.runner.entrance import TOKEN, Entrance, key_of
from flowml.runner.rights import Seat, refused, right
from flowml.runner.throttle import Throttle
from flowml.runner.users import checked, checked_email, new_user
from flowml.storage import audit, projects, replies, sessions, tokens, users
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, InputError, NotAllowed, NotFound, NotSignedIn
from flowml.storage.ids import new_id
from flowml.storage.records import SCOPES, AuditEntry, Person, Project, Scope, Session, Token, User, UserRole
from flowml.storage.replies import Reply

LONGEST_NAME = 80
DAY_S = 86_400.0
LONGEST_DAYS = 3650
REPLIES_KEPT_S = DAY_S


class Issued(NamedTuple):
    token: Token
    secret: str  # told this once


class People(Seat):
    def __init__(self, db: Database, entrance: Entrance) -> None:
        super().__init__(db)
        self._entrance = entrance
        self._throttle = Throttle()

    # --- users --------------------------------------------------------------------------------------------

    @right(Scope.READ)
    def me(self) -> Person:
        return self.who

    @right(Scope.READ)
    def names(self) -> dict[str, str]:
        """The name of each user by its id, to share with."""
        with self._db.read() as cursor:
            return {user.id: user.name for user in users.list_(cursor)}

    @right(Scope.ADMIN)
    def users(self) -> tuple[User, ...]:
        with self._db.read() as cursor:
            return users.list_(cursor)

    @right(Scope.ADMIN)
    def user(self, id: str) -> User:
        with self._db.read() as cursor:
            return users.get(cursor, id)

    @right(Scope.ADMIN, "user.add")
    def add_user(self, name: str, role: UserRole, password: str = "", email: str = "") -> User:
        """Raises InputError for a name or password that will not do, Conflict for a name that is taken."""
        user = new_user(name, role, password, email)
        with self._db.write() as cursor:
            if not users.count(cursor) and role is not UserRole.ADMIN:
                raise Conflict("The first user must be an administrator.", "Give it the role admin.")
            users.insert(cursor, user)
        self._entrance.forget()
        return user

    @right(Scope.ADMIN, "user.change")
    def change_user(
        self, id: str, role: UserRole | None = None, disabled: bool | None = None, email: str | None = None
    ) -> User:
        """Raises Conflict where no administrator would be left. Who is disabled is signed out."""
        wanted = {
            "role": role,
            "disabled": disabled,
            "email": None if email is None else checked_email(email),
        }
        with self._db.write() as cursor:
            user = users.update(cursor, id, **{k: v for k, v in wanted.items() if v is not None})
            if user.disabled:
                sessions.delete_of_user(cursor, id)
        self._entrance.forget()
        return user

    @right(Scope.READ, "user.password")
    def set_password(self, id: str, password: str, current: str = "") -> User:
        """One's own with the current one, or as an administrator that of another; its sessions end."""
        own = id == self.who.id
        if not own and not self.who.may(Scope.ADMIN):
            raise refused(self.who, Scope.ADMIN)
        with self._db.read() as cursor:
            user = users.get(cursor, id)
        if own:
            with self._throttle.attempt(id):
                if not passwords.fits(user.password, current):
                    raise NotSignedIn("The current password is wrong.", "Try again, or ask an administrator.")
        hash = checked(password, user.name)
        with self._db.write() as cursor:
            changed = users.update(cursor, id, password=hash)
            sessions.delete_of_user(cursor, id)
        self._entrance.forget()
        return changed

    @right(Scope.ADMIN, "user.remove")
    def remove_user(self, id: str) -> None:
        """Signs it out and takes its tokens. What it made stays, and administrators see it."""
        with self._db.write() as cursor:
            users.delete(cursor, id)
            sessions.delete_of_user(cursor, id)
            tokens.delete_of_user(cursor, id)
            for project in projects.list_(cursor):
                if id in project.members:
                    members = {user: role for user, role in project.members.items() if user != id}
                    projects.update(cursor, project.id, members=members)
        self._entrance.forget()

    # --- sessions and tokens ------------------------------------------------------------------------------

    @right(Scope.READ)
    def sessions(self) -> tuple[Session, ...]:
        """Where one is signed in."""
        with self._db.read() as cursor:
            return sessions.list_(cursor, self.who.id)

    @right(Scope.READ, "session.end", Scope.ADMIN)
    def end_sessions(self, user_id: str = "") -> None:
        """Signs out everywhere: oneself, or as an administrator somebody else. Raises NotFound."""
        with self._db.write() as cursor:
            sessions.delete_of_user(cursor, users.get(cursor, self._mine(user_id)).id)
        self._entrance.forget()

    @right(Scope.READ)
    def tokens(self, all: bool = False) -> tuple[Token, ...]:
        """One's own, or as an administrator those of everybody."""
        if all and not self.who.may(Scope.ADMIN):
            raise refused(self.who, Scope.ADMIN)
        with self._db.read() as cursor:
            return tokens.list_(cursor, None if all else self.who.id)

    @right(Scope.READ)
    def issue_token(
        self, name: str, scopes: Collection[Scope], days: float | None = 90, user_id: str = ""
    ) -> Issued:
        """A token with some of one's own scopes; `days` None: it never expires.

        A token cannot make others, else one that was stolen would outlive its end.
        """
        if self.who.via.startswith("token-"):
            raise NotAllowed("A token cannot make tokens.", "Sign in, and make one there.")
        owner = self._mine(user_id)
        with self._db.read() as cursor:
            user = users.get(cursor, owner)
        allowed = self.who.scopes & SCOPES[user.role]
        if not scopes or set(scopes) - allowed:
            raise InputError(
                f"The scopes are {', '.join(sorted(scopes)) or 'none'}; expected some of "
                f"{', '.join(sorted(allowed))}.",
                "A token may do no more than who makes it, and than whose it is.",
            )
        if days is not None and not 0 < days <= LONGEST_DAYS:
            raise InputError(f"{days:g} days; expected more than 0, at most {LONGEST_DAYS}.")
        secret, now = TOKEN + secrets.token_urlsafe(32), time.time()
        ends_at = None if days is None else now + days * DAY_S
        ordered = tuple(scope for scope in Scope if scope in set(scopes))
        token = Token(new_id("token"), key_of(secret), user.id, _named(name, "token"), ordered, now, ends_at)
        with self._db.write() as cursor:
            tokens.insert(cursor, token)
        self.note("token.issue", token.id)
        return Issued(token, secret)

    @right(Scope.READ, "token.revoke")
    def revoke_token(self, id: str) -> None:
        """One's own, or as an administrator any."""
        with self._db.write() as cursor:
            token = tokens.get(cursor, id)
            if token.user_id != self.who.id and not self.who.may(Scope.ADMIN):
                raise NotFound(f"There is no token {id}.", "It may have been revoked.")
            tokens.delete(cursor, id)
        self._entrance.forget()

    # --- projects -----------------------------------------------------------------------------------------

    @right(Scope.READ)
    def projects(self) -> tuple[Project, ...]:
        """Those of which one is a member or the owner; administrators see all."""
        with self._db.read() as cursor:
            return tuple(each for each in projects.list_(cursor) if self.who.sees(each.id))

    @right(Scope.WRITE, "project.add")
    def add_project(self, name: str) -> Project:
        if not self.who.id and self._entrance.anybody:
            raise Conflict(
                "A project belongs to a user; the key in the data folder, by which you came, is of none.",
                "Add it in the browser, or with a token of a user in FLOWML_TOKEN.",
            )
        if not self.who.id:
            raise Conflict(
                "Without logins all is shared, so there are no projects.", "Add users with `flowml user add`."
            )
        project = Project(new_id("project"), _named(name, "project"), self.who.id, time.time())
        with self._db.write() as cursor:
            projects.insert(cursor, project)
        self._entrance.forget()
        return project

    @right(Scope.WRITE, "project.share")
    def share_project(self, id: str, user_id: str, role: UserRole | None) -> Project:
        """Lets a user look at or work in a project; None: no more. Only its owner and administrators may."""
        project = self._own_project(id)
        with self._db.read() as cursor:
            users.get(cursor, user_id)
        if role is UserRole.ADMIN or user_id == project.owner:
            raise InputError("A member is a viewer or an editor, and the owner is more.", "Choose another.")
        members = {user: known for user, known in project.members.items() if user != user_id}
        return self._change_project(id, members=members | ({} if role is None else {user_id: role}))

    @right(Scope.WRITE, "project.change")
    def change_project(self, id: str, name: str | None = None, owner: str | None = None) -> Project:
        """Gives it another name or owner."""
        project = self._own_project(id)
        changes: dict[str, Any] = {} if name is None else {"name": _named(name, "project")}
        if owner is not None:
            with self._db.read() as cursor:
                users.get(cursor, owner)
            members = {user: role for user, role in project.members.items() if user != owner}
            changes |= {"owner": owner, "members": members}
        return self._change_project(id, **changes)

    @right(Scope.WRITE, "project.remove")
    def remove_project(self, id: str) -> None:
        """Raises Conflict while something lies in it."""
        self._own_project(id)
        with self._db.write() as cursor:
            projects.delete(cursor, id)
        self._entrance.forget()

    # --- what was done ------------------------------------------------------------------------------------

    @right(Scope.ADMIN)
    def audit(
        self,
        who: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[AuditEntry, ...]:
        """Newest first."""
        with self._db.read() as cursor:
            return audit.list_(cursor, who, action, subject, limit, offset)

    # --- answers to requests with a key -------------------------------------------------------------------

    @right(Scope.READ)
    def reply(self, key: str) -> Reply | None:
        """What was answered to one's own request with this key."""
        with self._db.read() as cursor:
            return replies.find(cursor, self.who.id, key)

    @right(Scope.READ)
    def keep_reply(self, key: str, reply: Reply, at: float) -> None:
        with self._db.write() as cursor:
            replies.drop_before(cursor, at - REPLIES_KEPT_S)
            replies.put(cursor, self.who.id, key, reply, at)

    # --- inner --------------------------------------------------------------------------------------------

    def _mine(self, user_id: str) -> str:
        """The id of the user that is meant: oneself, or somebody else for administrators."""
        if user_id and user_id != self.who.id and not self.who.may(Scope.ADMIN):
            raise refused(self.who, Scope.ADMIN)
        if not (user_id or self.who.id):
            raise InputError(
                "It must be said for which user.",
                "Name one; `flowml user list` shows them. Where nobody has a login, no token is needed.",
            )
        return user_id or self.who.id

    def _own_project(self, id: str) -> Project:
        with self._db.read() as cursor:
            project = projects.get(cursor, id)
        self._see(id, NotFound(f"There is no project {id}.", "It may have been removed."))
        if project.owner != self.who.id and not self.who.everywhere:
            raise NotAllowed(f"The project {project.name!r} is not yours.", "Ask its owner.")
        return project

    def _change_project(self, id: str, **changes: Any) -> Project:
        with self._db.write() as cursor:
            changed = projects.update(cursor, id, **changes)
        self._entrance.forget()
        return changed


def _named(name: str, what: str) -> str:
    bare = "".join(letter for letter in " ".join(name.split()) if letter.isprintable())[:LONGEST_NAME].strip()
    if not bare:
        raise InputError(f"The {what} has no name.", "Give it one.")
    return bare


def without_hash(user: User) -> User:
    """As it may be shown."""
    return dataclasses.replace(user, password="")
