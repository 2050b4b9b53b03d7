"""What an administrator tells a worker: one key by its name, which stays until it is told to go on.

A worker that was told so takes no job and helps no study. With `pause` it ends the job that it has; with
`drain` it gives that job back, to go on elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from redis import Redis
from redis.exceptions import ResponseError

from flowml.storage.records import Worker

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
        return _word(redis.get(KEY.format(worker)))
    except ResponseError:  # whatever somebody wrote there
        return None


def as_told(redis: Redis, workers: Sequence[Worker]) -> tuple[Worker, ...]:
    """These workers, online, with what each was told since it was last heard from."""
    words = redis.mget([KEY.format(worker.name) for worker in workers]) if workers else ()
    return tuple(with_word(worker, _word(word)) for worker, word in zip(workers, words, strict=True))


def with_word(worker: Worker, word: Told | None) -> Worker:
    """A worker that is online as it is once it has heard that; None: it was told nothing, or to go on."""
    state = "busy" if worker.job_id else "paused" if word else "idle"
    return replace(worker, state=state, told=word.value if word else "")


def _word(text: bytes | str | None) -> Told | None:
    try:
        return None if text is None else Told(text.decode() if isinstance(text, bytes) else text)
    except ValueError:  # whatever somebody wrote there
        return None
