"""What a job finds where it runs. A job's own arguments are JSON and the same on every machine."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from flowml.runner.settings import Settings
from flowml.storage.records import Capabilities


@dataclass(frozen=True)
class Workplace:
    settings: Settings
    redis_url: str
    worker: str  # name
    slots: int | None = None  # trials side by side; None: as cores and memory allow
    cores: int | None = None
    memory_limit: int | None = None  # bytes
    queues: tuple[str, ...] = ()  # that the worker serves
    capabilities: Capabilities | None = None
    job_memory: int | None = None  # that a job may need to be taken here


WORKPLACE: ContextVar[Workplace] = ContextVar("workplace")
