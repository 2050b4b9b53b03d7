"""Passes: what a worker shows the studio to get the files of a job over HTTP. Short-lived, one job each.

Whoever may write to Redis may work for the studio, so a worker makes its pass there itself. Redis holds only
the hash of it.
"""

from __future__ import annotations

import hashlib
import secrets

from redis import Redis

KEY = "flowml:pass:{}"
LASTS_S = 900


def issue(redis: Redis, job_id: str) -> str:
    secret = secrets.token_urlsafe(32)
    redis.set(KEY.format(_hash(secret)), job_id, ex=LASTS_S)
    return secret


def job_of(redis: Redis, secret: str) -> str:
    """The job that a pass is for; '' for one that is unknown or has ended."""
    found = redis.get(KEY.format(_hash(secret)))
    return found.decode(errors="replace") if isinstance(found, bytes) else found or ""


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
