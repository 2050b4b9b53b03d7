"""Connections to Redis: how long each kind of caller waits for it, and what is said when it is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis.exceptions
from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from flowml.storage.errors import NotReady, SettingError

LEAST_VERSION = (6, 2)  # has LMOVE
# redis-py raises these when the server is away; its own ConnectionError is not the builtin one.
AWAY = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)


class Shared(Retry):
    """One for all connections of a client, which otherwise copy theirs: who changes it is heard by each."""

    def __deepcopy__(self, _memo: object) -> Shared:
        return self


def connect(url: str, retry: Retry | None = None) -> Redis:
    """A client for `url`; nothing is sent yet. Gives up after about two seconds unless `retry` says other."""
    try:
        return Redis.from_url(
            url, retry=retry or brisk(), socket_timeout=10, socket_connect_timeout=3, health_check_interval=15
        )
    except ValueError as broken:
        raise SettingError(
            f"{masked(url)!r} is not the address of a Redis: {broken}.",
            "Write redis://[user:password@]host:port/0, rediss://... for TLS, or unix://path.",
        ) from broken


def brisk() -> Retry:
    """For callers that a person waits for."""
    return Shared(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 4)


def patient() -> Retry:
    """For workers, which outlive a restart of Redis: about ten minutes."""
    return Shared(ExponentialWithJitterBackoff(base=0.1, cap=3), 200)


@contextmanager
def reachable() -> Iterator[None]:
    """Turns the absence of Redis into NotReady."""
    try:
        yield
    except redis.exceptions.AuthenticationError as refused:
        raise NotReady(
            f"Redis refused the password: {_said(refused)}.",
            "Check FLOWML_REDIS_URL; for a worker of another machine, the address and the token that "
            "`flowml token worker` prints on the studio's.",
        ) from refused
    except AWAY as away:
        raise NotReady(
            f"Redis does not answer: {_said(away)}.",
            "Is it running? `flowml doctor` looks at it. Then try again.",
        ) from away


def check(redis: Redis, url: str) -> None:
    """Raises NotReady if Redis does not answer or is too old."""
    with reachable():
        version = str(redis.info("server")["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        raise NotReady(f"The Redis at {masked(url)} is of version {version}; at least {least} is needed.")


def _said(error: Exception) -> str:
    return str(error).rstrip(".")


def masked(url: str) -> str:
    """The address without its password, to be shown."""
    scheme, separator, rest = url.partition("://")
    credentials, at, host = rest.rpartition("@")
    user = credentials.partition(":")[0]
    return f"{scheme}{separator}{user + ':***' if at else ''}{at}{host}"
