"""The words that all packages share: frozen records and the enums of their states.

Times are seconds since 1970 (UTC) as float; durations are seconds; sizes are bytes. Every record becomes
plain JSON with `to_dict` and comes back with `from_dict`, which ignores keys it does not know, so that a
newer sender can talk to an older reader.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self, TypeAlias

Json: TypeAlias = dict[str, Any]


class Task(StrEnum):
    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Role(StrEnum):
    """What a column is for. The first six become features."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    CATEGORICAL = "categorical"
    DATETIME = "datetime"
    TEXT = "text"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"
    IGNORED = "ignored"
    TARGET = "target"
    GROUP = "group"
    TIME = "time"
    WEIGHT = "weight"


FEATURE_ROLES = frozenset({Role.NUMERIC, Role.BOOLEAN, Role.CATEGORICAL, Role.DATETIME, Role.TEXT, Role.TIME})


class JobKind(StrEnum):
    TRAINING = "training"
    PREDICTION = "prediction"
    EXPLANATION = "explanation"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHING = "finishing"
    FINISHED = "finished"
    STOPPED = "stopped"  # ended early by the user, the best model was kept
    CANCELLED = "cancelled"
    FAILED = "failed"
    LOST = "lost"  # the lease of its worker expired; it will run again


ENDED = frozenset({JobState.FINISHED, JobState.STOPPED, JobState.CANCELLED, JobState.FAILED})
ACTIVE = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.PAUSED, JobState.FINISHING, JobState.LOST})


class TrialState(StrEnum):
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    LOST = "lost"


class Control(StrEnum):
    """What a user may ask of a running job."""

    STOP = "stop"  # stop and keep the best
    CANCEL = "cancel"
    PAUSE = "pause"


class EventKind(StrEnum):
    """Kinds of progress, told live; the stream that carries them may be trimmed."""

    STAGE = "stage"  # text: what the job does now
    TRIAL_STARTED = "trial_started"
    TRIAL_FINISHED = "trial_finished"
    LOG = "log"
    STATE = "state"


class FactKind(StrEnum):
    """Kinds of facts, each of which reaches DuckDB exactly once."""

    JOB = "job"  # a change of a job's state, with its cause, champion and receipt
    TRIAL = "trial"
    MODEL = "model"
    WORKER = "worker"
    LOG = "log"


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Severity(StrEnum):
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class Record:
    """Base of all records: to and from plain JSON."""

    def to_dict(self) -> Json:
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, values: Json) -> Self:
        hints = _hints(cls)
        return cls(**{name: _typed(values[name], hint) for name, hint in hints.items() if name in values})


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _HINTS:
        known = {f.name for f in dataclasses.fields(cls)}
        _HINTS[cls] = {name: hint for name, hint in typing.get_type_hints(cls).items() if name in known}
    return _HINTS[cls]


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _typed(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [a for a in arguments if a is not type(None)]
        return _typed(value, inner[0]) if len(inner) == 1 else value
    if origin is tuple:
        return tuple(_typed(item, arguments[0]) for item in value)
    if origin is list:
        return [_typed(item, arguments[0]) for item in value]
    if origin is dict:
        return {key: _typed(item, arguments[1]) for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_dict(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    if hint is float and isinstance(value, int):
        return float(value)
    return value


# --- data -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column(Record):
    """One column of a dataset: what it holds and what it is for."""

    name: str
    type: str  # number, integer, boolean, string, datetime, date, time, duration, list, other
    role: Role
    reason: str = ""  # why this role was guessed
    missing: int = 0
    unique: int = 0
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    median: float | None = None
    std: float | None = None
    top: tuple[str, ...] = ()  # most frequent values as text, at most 20
    top_counts: tuple[int, ...] = ()
    histogram: tuple[int, ...] = ()  # counts of 20 equal bins from minimum to maximum
    mean_length: float | None = None  # of strings, in characters


@dataclass(frozen=True)
class DatasetSchema(Record):
    rows: int
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


@dataclass(frozen=True)
class Dataset(Record):
    id: str
    name: str
    version: int
    sha256: str  # of the canonical Parquet file
    rows: int
    size: int
    source: str  # the file name it came as
    format: str
    created_at: float
    schema: DatasetSchema
    deleted: bool = False
    findings: tuple[Finding, ...] = ()  # what was noticed while the file was read


@dataclass(frozen=True)
class Finding(Record):
    """One thing the check of a table or a job noticed."""

    kind: str
    severity: Severity
    message: str
    column: str | None = None
    advice: str = ""
    evidence: Json = field(default_factory=dict)


# --- jobs -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class JobSpec(Record):
    """What a user asks of a training job. `auto` and empty mean: choose for me, and say why."""

    target: str
    dataset_id: str = ""
    task: str = "auto"
    metric: str = "auto"
    budget_s: float = 300.0
    seed: int = 0
    algorithms: tuple[str, ...] = ()
    max_trials: int | None = None
    trials_per_algorithm: int | None = None
    split: str = "auto"  # auto, random, group:COLUMN, time:COLUMN, holdout
    folds: int | None = None
    roles: dict[str, Role] = field(default_factory=dict)  # overrides of the guessed roles
    max_latency_ms: float | None = None
    jobs: int | None = None  # cores to use; None: all that the worker gives
    export_safe: bool = True
    priority: bool = False
    name: str = ""


@dataclass(frozen=True)
class Phase(Record):
    name: str
    seconds: float


@dataclass(frozen=True)
class Receipt(Record):
    """What was asked of the clock and what was used."""

    budget_s: float
    used_s: float
    phases: tuple[Phase, ...] = ()
    trials: dict[str, int] = field(default_factory=dict)  # state -> count
    cut: tuple[str, ...] = ()  # what was left out for want of time, in words
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job(Record):
    id: str
    kind: JobKind
    state: JobState
    spec: JobSpec
    created_at: float
    dataset_name: str = ""
    dataset_sha256: str = ""
    queue: str = ""
    task: Task | None = None
    metric: str = ""
    direction: str = "maximize"  # of the metric; or minimize
    worker: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    best_score: float | None = None
    champion: str = ""  # id of the champion model
    trials: int = 0
    cause: str = ""  # why it failed or was lost
    receipt: Receipt | None = None
    findings: tuple[Finding, ...] = ()


# --- trials and models ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrialRecord(Record):
    """One algorithm with params, evaluated over the folds of its study."""

    number: int
    algorithm: str
    params: Json
    state: TrialState
    stage: str = "portfolio"  # baseline, portfolio, search
    seed: int = 0
    metric: str = ""
    score: float | None = None  # of all out-of-fold predictions together
    score_std: float | None = None  # over folds
    fold_scores: tuple[float, ...] = ()
    folds_id: str = ""
    started_at: float = 0.0
    seconds: float = 0.0  # wall clock of the whole trial
    fit_seconds: float = 0.0  # sum over folds
    predict_seconds: float = 0.0  # of one row through all fold models
    size_bytes: int = 0
    rounds: tuple[int, ...] = ()  # boosting rounds or trees that each fold kept
    cut: bool = False  # the deadline ended some fold early, with fewer rounds
    threads: int = 1
    device: str = "cpu"
    device_reason: str = ""
    worker: str = ""
    cause: str = ""
    advice: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LeaderboardRow(Record):
    rank: int | None  # None: not complete, never ranks
    name: str
    algorithm: str
    score: float | None
    score_std: float | None
    metric: str
    fit_seconds: float
    latency_ms: float | None
    size_bytes: int
    state: TrialState
    cause: str = ""
    model_id: str = ""
    trial: int | None = None
    champion: bool = False
    fold_scores: tuple[float, ...] = ()
    params: Json = field(default_factory=dict)
    device: str = "cpu"
    worker: str = ""
    stage: str = ""
    seconds: float = 0.0
    rows_per_second: float | None = None


@dataclass(frozen=True)
class Artifact(Record):
    sha256: str
    size: int


@dataclass(frozen=True)
class Importance(Record):
    """How much the score falls when a column is shuffled, mean and spread over repeats."""

    column: str
    mean: float
    std: float


@dataclass(frozen=True)
class Model(Record):
    """A fitted model that can predict. Its artifact of record is one ONNX file."""

    id: str
    job_id: str
    name: str
    algorithm: str
    task: Task
    metric: str
    score: float
    created_at: float
    onnx: Artifact
    champion: bool = False
    score_std: float | None = None
    trial: int | None = None
    latency_ms: float | None = None
    contract: Json = field(default_factory=dict)
    card: Json = field(default_factory=dict)
    parity: Json = field(default_factory=dict)
    members: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    importances: tuple[Importance, ...] = ()
    diagnostics: Json = field(default_factory=dict)


# --- workers, events, facts -------------------------------------------------------------------------------


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
    pid: int = 0
    cpu_percent: float | None = None
    memory_used: int | None = None
    jobs_done: int = 0
    version: str = ""


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
