"""What an administrator tells a worker: one key by its name, which stays until it is told to go on.

A worker that was told so takes no job and helps no study. With `pause` it ends the job that it has; with
`drain` it gives that job back, to go on elsewhere.
"""

from __future__ import annotations

from enum import StrEnum

from redis import Redis
from redis.exceptions import ResponseError

KEY = "flowml:worker:{}:told"


class Told(StrEnum):
    PAUSE = "pause"
    DRAIN = "drain"


def tell(redis: Redis, worker: str, word: Told) -> None:
    redis.set(KEY.format(worker), word.value)


def release(redis: Redis, worker: str) -> None:
    redis.delete(KEY.format(worker))


def told(redis: Redis, worker: str) -> Told | None:
    try:
        word = redis.get(KEY.format(worker))
        return None if word is None else Told(word.decode() if isinstance(word, bytes) else word)
    except (ValueError, ResponseError):  # whatever somebody wrote there
        return None
