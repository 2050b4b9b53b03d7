"""Who is it? Names and passwords, cookies and tokens in; the person who asks out.

Secrets are kept as hashes only. A person is remembered for some seconds, so that most requests ask no table;
whatever changes what somebody may do forgets all of them at once.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from flowml.runner import passwords
from flowml.runner.addresses import is_loopback
from flowml.runner.rights import note
from flowml.runner.settings import Settings
from flowml.runner.throttle import Throttle
from flowml.runner.users import new_user
from flowml.storage import projects, sessions, tokens, users
from flowml.storage.db import Cursor, Database
from flowml.storage.errors import Conflict, NotSignedIn
from flowml.storage.records import OWNER, SCOPES, Person, Scope, Session, User, UserRole

TOKEN = "flowml_"  # begins every token, so that a search through files finds one that was left there
REMEMBERED_S = 20.0
MOST_REMEMBERED = 2_000


class Known(NamedTuple):
    person: Person
    until: float  # when to look again


class Entrance:
    def __init__(self, db: Database, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock
        self._throttle = Throttle()
        self._known: dict[str, Known] = {}
        self._generation = 0  # of what is known
        self._turn = threading.Lock()
        self._anybody: bool | None = None
        self._first_code = ""
        self.local_key = TOKEN + "local_" + secrets.token_urlsafe(32)

    # --- whether a login is needed ------------------------------------------------------------------------

    @property
    def needed(self) -> bool:
        """Whether one must sign in: beyond this machine always, on it once there are users."""
        return self._settings.login == "always" or is_reachable(self._settings) or self.anybody

    @property
    def anybody(self) -> bool:
        """Whether there is a user at all."""
        if self._anybody is None:
            with self._db.read() as cursor:
                self._anybody = users.count(cursor) > 0
        return self._anybody

    # --- cookies and tokens -------------------------------------------------------------------------------

    def of_cookie(self, secret: str) -> Person | None:
        """The person of a browser's session; None where it has ended."""
        return self._remember("session:" + key_of(secret), self._of_session)

    def of_token(self, secret: str) -> Person | None:
        if _same(secret, self.local_key):
            return replace(OWNER, name="local", via="local key")
        return self._remember("token:" + key_of(secret), self._of_token)

    def forget(self) -> None:
        """To be called after every change of users, roles, sessions, tokens or projects."""
        with self._turn:
            self._known.clear()
            self._generation += 1
            self._anybody = None

    def at_hand(self, secret: str) -> Person | None:
        """Whose session or token it is; None also where a table would have to be asked."""
        kind = "token:" if secret.startswith(TOKEN) else "session:"
        return self._at_hand(kind + key_of(secret))

    # --- signing in and out -------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, address: str = "") -> str:
        """The secret of a new session. Raises NotSignedIn, and TooMany for who guesses."""
        name = name.strip()
        with self._throttle.attempt(f"name:{name.lower()}", f"address:{address}"):
            with self._db.read() as cursor:
                user = users.named(cursor, name)
            right = passwords.fits(user.password if user else "", password)
            if user is None or user.disabled or not right:
                note(self._db, _stranger(name, address), "login", outcome="refused")
                raise NotSignedIn("The name or the password is wrong.", "Try again, or ask an administrator.")
        return self.open_session(user, address)

    def open_session(self, user: User, address: str = "") -> str:
        """For somebody who was recognised; the secret belongs into a cookie."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        until = now + min(self._settings.session_idle, self._settings.session_length)
        with self._db.write() as cursor:
            sessions.drop_before(cursor, now)
            sessions.insert(cursor, Session(key_of(secret), user.id, now, until, now, address))
        note(self._db, replace(_stranger(user.name, address), via="session"), "login")
        return secret

    def enter(self, email: str, address: str = "") -> str:
        """The secret of a session for who was recognised elsewhere. Raises NotSignedIn for a stranger."""
        with self._db.read() as cursor:
            user = users.of_email(cursor, email)
        if user is None or user.disabled:
            note(self._db, _stranger(email, address), "login", outcome="refused")
            raise NotSignedIn(f"Nobody here has the address {email[:80]}.", "Ask an administrator to add it.")
        return self.open_session(user, address)

    def sign_out(self, secret: str) -> None:
        person = self.of_cookie(secret)
        with self._db.write() as cursor:
            sessions.delete(cursor, key_of(secret))
        self.forget()
        if person is not None:
            note(self._db, person, "logout")

    # --- the first administrator --------------------------------------------------------------------------

    @property
    def awaits_first(self) -> bool:
        """Whether a code was printed with which the first administrator may be made."""
        return bool(self._first_code) and not self.anybody

    def first_code(self) -> str:
        """A code with which the first administrator is made in the browser; good once."""
        if self.anybody:
            raise Conflict("There are users already.", "Sign in, or ask an administrator.")
        self._first_code = secrets.token_hex(8)
        return self._first_code

    def add_first(self, code: str, name: str, password: str, address: str = "") -> str:
        """Makes the first administrator and signs it in. Raises NotSignedIn for another code."""
        with self._throttle.attempt("first"):
            if not self._first_code or not _same(code.strip(), self._first_code):
                raise NotSignedIn("The code is not the one that was printed at the start.", "Copy it whole.")
        user = new_user(name, UserRole.ADMIN, password)
        with self._turn, self._db.write() as cursor:
            if users.count(cursor):
                raise Conflict("There are users already.", "Sign in, or ask an administrator.")
            users.insert(cursor, user)
        self._first_code = ""
        self.forget()
        note(self._db, _stranger(user.name, address), "user.add", user.id)
        return self.open_session(user, address)

    def add_from_settings(self) -> None:
        """The first administrator, where the settings name one and there is no user yet."""
        if self._settings.admin_password and not self.anybody:
            user = new_user(self._settings.admin_user, UserRole.ADMIN, self._settings.admin_password)
            with self._db.write() as cursor:
                users.insert(cursor, user)
            self.forget()
            note(self._db, _stranger(user.name, ""), "user.add", user.id)

    # --- inner --------------------------------------------------------------------------------------------

    def _at_hand(self, key: str) -> Person | None:
        known = self._known.get(key)
        return known.person if known is not None and self._clock() < known.until else None

    def _remember(self, key: str, look: Callable[[Cursor, str], Known | None]) -> Person | None:
        person = self._at_hand(key)
        if person is not None:
            return person
        generation = self._generation
        with self._db.write(passing=True) as cursor:
            found = look(cursor, key.partition(":")[2])
        if found is None:
            self._known.pop(key, None)
            return None
        with self._turn:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            if generation == self._generation:  # else somebody's rights changed while we looked
                self._known[key] = found
        return found.person

    def _of_session(self, cursor: Cursor, key: str) -> Known | None:
        session, now = sessions.find(cursor, key), self._clock()
        if session is None or session.expires_at <= now:
            return None
        until = min(now + self._settings.session_idle, session.created_at + self._settings.session_length)
        sessions.update(cursor, replace(session, expires_at=until, used_at=now))
        return self._person(cursor, session.user_id, None, "session", until)

    def _of_token(self, cursor: Cursor, key: str) -> Known | None:
        token, now = tokens.find(cursor, key), self._clock()
        if token is None or (token.expires_at is not None and token.expires_at <= now):
            return None
        tokens.update(cursor, replace(token, used_at=now))
        return self._person(cursor, token.user_id, frozenset(token.scopes), token.id, token.expires_at)

    def _person(
        self, cursor: Cursor, user_id: str, scopes: frozenset[Scope] | None, via: str, ends_at: float | None
    ) -> Known | None:
        user = users.get(cursor, user_id)
        if user.disabled:
            return None
        allowed = SCOPES[user.role]
        person = Person(
            user.id,
            user.name,
            user.role,
            allowed if scopes is None else allowed & scopes,
            projects.roles(cursor, user.id, user.role),
            via=via,
        )
        again = self._clock() + REMEMBERED_S
        return Known(person, again if ends_at is None else min(again, ends_at))


def is_reachable(settings: Settings) -> bool:
    """Whether others than this machine can reach the studio: by its address, or by a proxy's name."""
    return bool(settings.hosts) or not is_loopback(settings.host)


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())


def key_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _stranger(name: str, address: str) -> Person:
    return Person("", name[:80], UserRole.VIEWER, frozenset(), address=address)
