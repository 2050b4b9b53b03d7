"""How a worker was in the last hour: a short stream by its name, with one entry for each heartbeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from flowml.storage.records import Moment, Worker

KEY = "flowml:worker:{}:history"
KEPT = 720  # heartbeats of five seconds: an hour
KEPT_S = 86_400
KINDS: dict[str, Callable[[str], object]] = {
    "at": float,
    "cpu": float,
    "memory": int,
    "gpu": float,
    "vram": int,
    "temperature": float,
    "job": str,
}


def note(redis: Redis, worker: Worker) -> None:
    """Also on a pipeline."""
    moment = moment_of(worker)
    told = {name: value for name, value in moment.to_dict().items() if value is not None}
    key = KEY.format(worker.name)
    redis.xadd(key, {name: str(value) for name, value in told.items()}, maxlen=KEPT, approximate=True)
    redis.expire(key, KEPT_S)


def read(redis: Redis, name: str, count: int = KEPT) -> tuple[Moment, ...]:
    """The last moments, oldest first."""
    try:
        found: Any = redis.xrevrange(KEY.format(name), count=count)
    except ResponseError:  # somebody wrote something else there
        return ()
    moments = (_moment(fields) for _, fields in reversed(found))
    return tuple(moment for moment in moments if moment is not None)


def forget(redis: Redis, name: str) -> None:
    redis.delete(KEY.format(name))


def moment_of(worker: Worker) -> Moment:
    """Of several GPUs the busiest and the hottest, and the memory of all together."""
    loads = worker.gpu_loads
    percents = [load.percent for load in loads if load.percent is not None]
    degrees = [load.temperature for load in loads if load.temperature is not None]
    return Moment(
        at=round(worker.heartbeat, 3),
        cpu=worker.cpu_percent,
        memory=worker.memory_used,
        gpu=max(percents, default=None),
        vram=sum(load.vram_used for load in loads) if loads else None,
        temperature=max(degrees, default=None),
        job=worker.job_id,
    )


def _moment(fields: dict[bytes, bytes]) -> Moment | None:
    told = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in fields.items()}
    try:
        read = {name: KINDS[name](value) for name, value in told.items() if name in KINDS}
        return Moment.from_dict(read)
    except (TypeError, ValueError):  # no moment
        return None
