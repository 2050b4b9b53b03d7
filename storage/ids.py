"""Ids of datasets, jobs and models: letters, digits and '-' only, for RQ takes them as its own job ids."""

from __future__ import annotations

import re
import secrets
import time

from flowml.storage.errors import NotAllowed

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing to confuse when read aloud
TIME_CHARACTERS = 9  # milliseconds since 1970, enough until the year 3084
RANDOM_CHARACTERS = 11  # 55 bits within one millisecond
SHAPE = re.compile(r"[A-Za-z0-9-]{1,100}")


def new_id(prefix: str) -> str:
    """An opaque id such as `job-1k2m3n4p5q6r7s8t9v0w`; ids made later sort later."""
    return f"{prefix}-{_clock()}{_chance()}"


def check_id(id: str) -> None:
    """Raises NotAllowed for a text of others that is no id: an id may name a folder."""
    if not SHAPE.fullmatch(id):
        raise NotAllowed(f"{id[:50]!r} is no id: those have letters, digits and '-'.")


def _clock() -> str:
    milliseconds = time.time_ns() // 1_000_000
    shifts = range(5 * (TIME_CHARACTERS - 1), -1, -5)
    return "".join(ALPHABET[milliseconds >> shift & 31] for shift in shifts)


def _chance() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
