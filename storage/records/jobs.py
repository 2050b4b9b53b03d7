"""What a user asks for, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowml.storage.records.answers import Inquiry
from flowml.storage.records.predictions import Scoring
from flowml.storage.records.record import Record
from flowml.storage.records.tables import Finding
from flowml.storage.records.verdicts import Verifying
from flowml.storage.records.words import JobKind, JobState, Role, Task


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
    max_size_bytes: int | None = 20_000_000  # of the model's file
    jobs: int | None = None  # cores to use; None: all that the worker gives
    machines: int | None = (
        None  # workers that may share its trials, its own included; None: all that are free
    )
    vram: int | None = None  # bytes of GPU memory that its worker must have; None: it needs no GPU
    memory: int | None = None  # bytes that its worker must have for trials
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
    project: str = ""  # whose users see it and its models; empty: all
    owner: str = ""  # name of the user who started it
    scoring: Scoring | None = None  # of a prediction job
    inquiry: Inquiry | None = None  # of an explanation job
    verifying: Verifying | None = None  # of a verification job


@dataclass(frozen=True)
class Day(Record):
    """What the training jobs that were asked for on one day came to."""

    starts_at: float  # midnight by the reader's clock, as if that were UTC
    jobs: int
    trials: int
    seconds: float  # of training
    failed: int = 0  # of the jobs
