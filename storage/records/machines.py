"""Workers and what they tell: events, facts, log lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowml.storage.records.record import Json, Record
from flowml.storage.records.words import EventKind, FactKind, Level


@dataclass(frozen=True)
class Gpu(Record):
    index: int
    name: str
    uuid: str = ""
    vram_total: int = 0
    vram_free: int = 0
    compute_capability: str = ""
    mig: bool = False


@dataclass(frozen=True)
class GpuLoad(Record):
    """How a GPU is right now; None where its driver does not say."""

    index: int
    percent: float | None = None
    vram_used: int = 0
    temperature: float | None = None  # degrees Celsius


@dataclass(frozen=True)
class Moment(Record):
    """How a worker was at a heartbeat: CPU and GPU in percent, memory in bytes."""

    at: float
    cpu: float | None = None
    memory: int | None = None
    gpu: float | None = None
    vram: int | None = None
    temperature: float | None = None
    job: str = ""


@dataclass(frozen=True)
class Capabilities(Record):
    """What a machine can do, as probed."""

    cpu_model: str
    cores_logical: int
    cores_physical: int
    cpus: int  # usable: affinity and cgroup quota honoured
    cpu_mhz: float | None
    ram_total: int  # cgroup limit honoured
    ram_available: int
    gpus: tuple[Gpu, ...] = ()
    gpu_reason: str = ""  # why no GPU is listed
    driver: str = ""
    cuda: str = ""
    gpu_libraries: dict[str, str] = field(default_factory=dict)  # library -> "" (works) or why not
    os: str = ""
    python: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    hostname: str = ""
    lan_address: str = ""
    tailscale_address: str = ""
    ollama: str = ""  # version, or empty
    limits: str = ""  # where the limits came from: none, affinity, cgroup v1, cgroup v2


@dataclass(frozen=True)
class Worker(Record):
    name: str
    queues: tuple[str, ...]
    capabilities: Capabilities
    started_at: float
    heartbeat: float
    state: str = "idle"  # idle, busy, paused, offline
    job_id: str = ""
    told: str = ""  # pause or drain: it takes no job until it is told to go on
    pid: int = 0
    cpu_percent: float | None = None
    memory_used: int | None = None
    gpu_loads: tuple[GpuLoad, ...] = ()
    memory_limit: int | None = None  # that trials may use together; None: what the machine has free
    jobs_done: int = 0
    version: str = ""
    place: str = ""  # workers of the same place share their folders: the host and the id of its data folder


@dataclass(frozen=True)
class Event(Record):
    """Progress, told live. `fields` is flat: strings and numbers."""

    kind: EventKind
    at: float
    fields: Json = field(default_factory=dict)
    id: str = ""  # place in the stream, to read on from


@dataclass(frozen=True)
class Fact(Record):
    """Something that must reach DuckDB exactly once; `id` makes a second arrival harmless."""

    id: str
    kind: FactKind
    at: float
    body: Json


@dataclass(frozen=True)
class LogLine(Record):
    at: float
    level: Level
    source: str  # studio, or a worker's name
    message: str
    job_id: str = ""
    trial: int | None = None
