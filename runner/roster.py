"""Who is online: each worker writes its record to Redis every few seconds, where it expires by itself."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import lru_cache

from redis import Redis
from redis.exceptions import ResponseError

from flowml.runner import history
from flowml.storage.records import Capabilities, Worker, read_record

RECORD = "flowml:worker:{}"
NAMES = "flowml:workers"

# A name stands in keys, addresses and the names of folders, and goes to Redis as that of a connection.
NAME = re.compile(r"\w[\w.@+-]{0,79}", re.ASCII)
LONGEST_HOST = 60  # what is left of 80 is for what follows


def may_be_named(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def as_name(host: str) -> str:
    """What workers of a machine are called after."""
    name = re.sub(r"[^\w.@+-]", "-", host, flags=re.ASCII).lstrip("-.@+")[:LONGEST_HOST]
    return name or "worker"


def announce(redis: Redis, worker: Worker, ttl_s: float) -> None:
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.set(RECORD.format(worker.name), json.dumps(worker.to_dict()), px=int(ttl_s * 1000))
        history.note(pipeline, worker)
        pipeline.sadd(NAMES, worker.name)
        answers = pipeline.execute(raise_on_error=False)
    refused = [answer for answer in answers if isinstance(answer, ResponseError)]
    if refused and not _make_room(redis, worker):
        raise refused[0]


def _make_room(redis: Redis, worker: Worker) -> bool:
    """Deletes what somebody put where our set and our stream belong; whether there was such a thing."""
    kinds = {NAMES: b"set", history.KEY.format(worker.name): b"stream"}
    wrong = [key for key, kind in kinds.items() if redis.type(key) not in (kind, b"none")]
    return bool(wrong and redis.delete(*wrong))


def claim(redis: Redis, worker: Worker, ttl_s: float) -> bool:
    """Takes the worker's name. False if somebody has it."""
    text = json.dumps(worker.to_dict())
    return bool(redis.set(RECORD.format(worker.name), text, px=int(ttl_s * 1000), nx=True))


def leave(redis: Redis, name: str) -> None:
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.delete(RECORD.format(name))
        pipeline.srem(NAMES, name)
        pipeline.execute()


def online(redis: Redis) -> tuple[Worker, ...]:
    """The workers heard from within their TTL, by name."""
    try:
        names = sorted(filter(may_be_named, map(_text, redis.smembers(NAMES))))
    except ResponseError:  # somebody put something else there; the next worker that is heard mends it
        names = []
    if not names:
        return ()
    records = redis.mget([RECORD.format(name) for name in names])
    gone = [name for name, record in zip(names, records, strict=True) if record is None]
    if gone:
        redis.srem(NAMES, *gone)
    found = (_read(record) for record in records)
    return tuple(worker for worker in found if worker is not None)


def find(redis: Redis, name: str) -> Worker | None:
    return _read(redis.get(RECORD.format(name)))


def offline(worker: Worker) -> Worker:
    """The record of a worker that is gone."""
    return dataclasses.replace(
        worker, state="offline", job_id="", told="", cpu_percent=None, memory_used=None, gpu_loads=()
    )


@lru_cache(maxsize=256)  # a record is read many times before it changes
def _read(record: bytes | str | None) -> Worker | None:
    worker = read_record(Worker, record)
    return worker if worker is not None and isinstance(worker.capabilities, Capabilities) else None


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
