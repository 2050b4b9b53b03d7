"""A user as it is written down: a name that can be typed, and the hash of a password that will do."""

from __future__ import annotations

import re
import time

from flowml.runner import passwords
from flowml.storage.errors import InputError
from flowml.storage.ids import new_id
from flowml.storage.records import User, UserRole

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


def new_user(name: str, role: UserRole, password: str, email: str = "") -> User:
    """Without a password the user can only come in by a login elsewhere. Raises InputError."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name[:80]!r} is no name of a user; expected up to 64 letters, digits and . _ @ + -.",
            "Begin with a letter or a digit.",
        )
    if not password and not email:
        raise InputError(f"The user {name} has neither a password nor an address.", "Give one of them.")
    return User(new_id("user"), name, role, time.time(), checked(password, name), checked_email(email))


def checked(password: str, name: str) -> str:
    """The hash of a password that will do; empty for none."""
    if not password:
        return ""
    passwords.check(password, name)
    return passwords.hashed(password)


def checked_email(email: str) -> str:
    if email and not EMAIL.fullmatch(email):
        raise InputError(f"{email[:80]!r} is no mail address.", "Expected something like ada@example.com.")
    return email
