"""How a worker gets its name and its place in the roster."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import psutil
from redis import Redis

from flowml.runner import gpu, leases, roster
from flowml.runner.home import place_of
from flowml.runner.limits import allowance
from flowml.runner.rq_worker import FlowWorker
from flowml.runner.settings import Settings
from flowml.runner.tending import Told
from flowml.runner.tiers import QUEUES, queues_for
from flowml.storage.errors import Conflict, SettingError
from flowml.storage.records import Capabilities, Worker
from flowml.storage.version import VERSION

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Terms:
    """How a worker is to work; what is left empty is found out."""

    name: str = ""
    queues: tuple[str, ...] = ()
    slots: int | None = None  # trials side by side
    cores: int | None = None
    memory_limit: int | None = None  # bytes
    patience_s: float | None = None  # how long it waits for a Redis that is away; None: for ever


def within(terms: Terms, machine: Capabilities) -> Terms:
    """The terms as far as the machine can keep them; where it has less, that is said."""
    cores, memory = terms.cores, terms.memory_limit
    if cores is not None and cores > machine.cpus:
        log.warning("It was told to use %d cores, and uses the %d that it may", cores, machine.cpus)
        cores = machine.cpus
    if memory is not None and memory > machine.ram_total:
        asked, has = memory / 2**30, machine.ram_total / 2**30
        log.warning("It was told to give trials %.1f GiB, and gives the %.1f GiB that it may", asked, has)
        memory = machine.ram_total
    return replace(terms, cores=cores, memory_limit=memory)


def enlist(redis: Redis, settings: Settings, terms: Terms, capabilities: Capabilities) -> Worker:
    """The worker's record, its name taken; what an earlier process of that name left behind is cleared.

    Raises Conflict for a name in use and SettingError for an unknown queue or a name that cannot be one.
    """
    if terms.name and not roster.may_be_named(terms.name):
        raise SettingError(
            f"A worker cannot be named {terms.name[:100]!r}.",
            "Use a to z, A to Z, digits and . _ @ + -, at most 80, and begin with a letter or digit.",
        )
    record = Worker(
        name=terms.name,
        queues=_queues(terms.queues, capabilities),
        capabilities=capabilities,
        started_at=time.time(),
        heartbeat=time.time(),
        pid=os.getpid(),
        version=VERSION,
        place=place_of(settings.home),
        memory_limit=terms.memory_limit,
    )
    base = roster.as_name(capabilities.hostname or socket.gethostname())
    names: Iterable[str] = (
        (terms.name,) if terms.name else (f"{base}-{number}" for number in itertools.count(1))
    )
    for name in names:
        claimed = replace(record, name=name)
        if roster.claim(redis, claimed, settings.worker_ttl) or _take_over(
            redis, claimed, settings.worker_ttl
        ):
            redis.delete(f"rq:worker:{name}")
            leases.expire_all(redis, name, QUEUES)
            return claimed
    raise _taken(redis, terms.name)


def as_it_is(worker: FlowWorker, record: Worker, told: Told | None = None) -> Worker:
    """The record of a worker right now, and what it was told to do."""
    memory = allowance()
    return replace(
        record,
        heartbeat=time.time(),
        state="busy" if worker.job_id else "paused" if told else "idle",
        told=told.value if told else "",
        job_id=worker.job_id,
        cpu_percent=psutil.cpu_percent(),
        memory_used=memory.ram_total - memory.ram_available,
        gpu_loads=gpu.loads(record.capabilities.gpus),
        jobs_done=worker.jobs_done,
    )


def _queues(asked: tuple[str, ...], capabilities: Capabilities) -> tuple[str, ...]:
    unknown = [name for name in asked if name not in QUEUES]
    if unknown:
        raise SettingError(f"There is no queue {unknown[0]!r}; expected some of {', '.join(QUEUES)}.")
    return tuple(dict.fromkeys(asked)) or queues_for(capabilities)


def _take_over(redis: Redis, record: Worker, ttl_s: float) -> bool:
    """From a process that is gone, of the same machine and data folder: only there its id tells."""
    holder = roster.find(redis, record.name)
    if holder is None:
        return roster.claim(redis, record, ttl_s)
    if holder.place != record.place or psutil.pid_exists(holder.pid):
        return False
    roster.leave(redis, record.name)
    return roster.claim(redis, record, ttl_s)


def _taken(redis: Redis, name: str) -> Conflict:
    holder = roster.find(redis, name)
    where = f" on {holder.capabilities.hostname} (process {holder.pid})" if holder else ""
    return Conflict(f"A worker named {name} is online already{where}.", "Stop it, or choose another --name.")
