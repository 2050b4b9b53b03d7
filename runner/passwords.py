"""Passwords: what one must be, and its hash (argon2id), which is all that is kept."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from flowml.storage.errors import InputError

LEAST, MOST = 10, 200
AT_ONCE = 2  # hashes being computed, each of which takes its memory
MEMORY_KIB = 32 * 1024

_hasher = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
_turn = threading.Semaphore(AT_ONCE)


def check(password: str, name: str) -> None:
    """Raises InputError for one that is too short, too long, or the name."""
    if not LEAST <= len(password) <= MOST:
        raise InputError(
            f"The password has {len(password)} characters; expected {LEAST} to {MOST}.",
            "A few unrelated words make a good one.",
        )
    if password.casefold() == name.casefold() or len(set(password)) < 4:
        raise InputError("The password is too easy to guess.", "A few unrelated words make a good one.")


def hashed(password: str) -> str:
    with _turn:
        return _hasher.hash(password)


def fits(hash: str, password: str) -> bool:
    """Takes the same time where there is no hash, so that nobody learns which names exist."""
    try:
        with _turn:
            return _hasher.verify(hash or _of_nobody(), password) and bool(hash)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _of_nobody() -> str:
    return _hasher.hash("nobody's password")
