"""The stream of a job's progress: told live, trimmed, gone a week after the job. What must last is a fact.

Only this file speaks to these streams. Fields are flat and keep their names, which Redis stores compactly.
"""

from __future__ import annotations

import json
import time
from typing import Any, Self, TypeAlias

from redis import Redis
from redis.typing import EncodableT, FieldT

from flowml.runner.outbox import Outbox
from flowml.storage.records import Event, EventKind, Json

STREAM = "flowml:job:{}:events"
LENGTH = 20_000  # of a stream, about
LOOKED_BACK = 200  # events among which the latest of a kind is looked for
KEPT_S = 7 * 86_400
KINDS = frozenset(kind.value for kind in EventKind)
UNSENT = 2_000  # events that wait for a Redis that is away; older ones are dropped


Fields: TypeAlias = dict[FieldT, EncodableT]


def read(redis: Redis, job_id: str, after: str = "0", count: int = 500) -> tuple[Event, ...]:
    """Events that follow the one with the id `after`, oldest first; '0' is before the first."""
    entries = redis.xrange(STREAM.format(job_id), min=f"({after}", count=count) or []
    events = (_event(_text(id), fields) for id, fields in entries if id is not None and fields)
    return tuple(event for event in events if event is not None)


def last_id(redis: Redis, job_id: str) -> str:
    """The id of the newest event, '0' if there is none: for those who only want what comes next."""
    entries = redis.xrevrange(STREAM.format(job_id), count=1) or []
    return next((_text(id) for id, _ in entries if id is not None), "0")


def latest(redis: Redis, job_id: str, kind: EventKind) -> Event | None:
    """The newest event of a kind, which is not looked for far back."""
    entries = redis.xrevrange(STREAM.format(job_id), count=LOOKED_BACK) or []
    events = (_event(_text(id), fields) for id, fields in entries if id is not None and fields)
    return next((event for event in events if event is not None and event.kind is kind), None)


def forget(redis: Redis, job_id: str) -> None:
    redis.delete(STREAM.format(job_id))


class EventWriter:
    """Tells the progress of one job, in batches of at most ten a second; never waits, drops the oldest."""

    def __init__(self, redis: Redis, job_id: str, length: int = LENGTH) -> None:
        self._redis = redis
        self._length = length
        self._stream = STREAM.format(job_id)
        self._outbox: Outbox[Fields] = Outbox(self._send, f"events of {job_id}", limit=UNSENT)

    def tell(self, kind: EventKind, **fields: Any) -> None:
        """Fields are strings, numbers, booleans or None."""
        told: Fields = {"kind": kind.value, "at": repr(time.time())}
        told.update({name: encode(value) for name, value in fields.items()})
        self._outbox.put(told)

    def close(self, timeout_s: float = 2.0) -> None:
        self._outbox.close(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, batch: list[Fields]) -> None:
        with self._redis.pipeline(transaction=False) as pipeline:
            for fields in batch:
                pipeline.xadd(self._stream, fields, maxlen=self._length, approximate=True)
            pipeline.expire(self._stream, KEPT_S)
            pipeline.execute()


def encode(value: Any) -> str:
    """A scalar as text; a string that would be read back as something else is quoted."""
    if isinstance(value, str) and decode(value) == value:
        return value
    return json.dumps(value)


def decode(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _event(id: str, fields: dict[Any, Any]) -> Event | None:
    """The event, or None for a kind that only a newer sender knows, and for what is none."""
    told: Json = {_text(name): decode(_text(value)) for name, value in fields.items()}
    try:
        kind, at = told.pop("kind"), float(told.pop("at"))
        return Event(kind=EventKind(kind), at=at, fields=told, id=id) if kind in KINDS else None
    except (KeyError, TypeError, ValueError):
        return None


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
