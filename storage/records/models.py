"""Trials, the leaderboard, and fitted models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flowml.storage.records.record import Json, Record
from flowml.storage.records.words import Task, TrialState


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
    rows: int | None = None  # that each fold learned from, where that was a sample
    started_at: float = 0.0
    seconds: float = 0.0  # wall clock of the whole trial
    fit_seconds: float = 0.0  # sum over folds
    predict_seconds: float = 0.0  # of one row through all fold models
    size_bytes: int = 0
    rounds: tuple[int, ...] = ()  # boosting rounds or trees that each fold kept
    temperature: float = 1.0  # by which its probabilities are softened (above 1) or sharpened
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
    rows: int | None = None  # that each fold learned from, where that was a sample
    device_reason: str = ""

    @classmethod
    def of(cls, trial: TrialRecord, **told: Any) -> LeaderboardRow:
        """The row of a trial; `told` are fields that it does not know, or not as well."""
        known = {name: getattr(trial, name) for name in OF_TRIAL}
        known |= {"rank": None, "name": trial.algorithm, "trial": trial.number}
        known["latency_ms"] = trial.predict_seconds * 1000 or None
        return cls(**{**known, **told})


OF_TRIAL = (
    *("algorithm", "score", "score_std", "metric", "fit_seconds", "size_bytes", "state", "cause"),
    *("fold_scores", "params", "device", "device_reason", "worker", "stage", "seconds", "rows"),
)


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
class Compact(Record):
    """A smaller model beside the champion, and what that costs by the job's metric."""

    score: float
    loss: float  # how much worse than the champion on the same rows; of models of single folds, as both are
    members: tuple[str, ...]
    weights: tuple[float, ...]
    fold: int  # whose models it has
    size_bytes: int
    latency_ms: float | None = None
    rows_per_second: float | None = None
    parity: Json = field(default_factory=dict)
    onnx: Artifact | None = None  # once it is kept


@dataclass(frozen=True)
class ModelEntry(Record):
    """The champion of a job as lists of choices show it."""

    id: str
    job_id: str
    job_name: str
    dataset_name: str
    target: str
    metric: str
    score: float | None
    ended_at: float | None


@dataclass(frozen=True)
class ModelSummary(Record):
    """A model as a list shows it, without what is known of its answers."""

    id: str
    job_id: str
    name: str
    target: str
    metric: str
    score: float | None
    size: int  # bytes of its file
    created_at: float


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
    threshold: float | None = None  # from which a binary answer is the second class; None: the likelier one
    contract: Json = field(default_factory=dict)
    card: Json = field(default_factory=dict)
    parity: Json = field(default_factory=dict)
    members: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    importances: tuple[Importance, ...] = ()
    diagnostics: Json = field(default_factory=dict)
    compact: Compact | None = None

    @property
    def rows_per_second(self) -> float | None:
        """As its card has it: of its file in onnxruntime on one thread."""
        return self.card.get("rows_per_second")

    @property
    def files(self) -> tuple[Artifact, ...]:
        """All that is kept of it."""
        smaller = self.compact.onnx if self.compact else None
        return (self.onnx,) if smaller is None else (self.onnx, smaller)
