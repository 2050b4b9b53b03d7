"""Training jobs, as the API takes and tells them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from flowml.storage.records import Finding, Job, JobKind, JobSpec, JobState, Json, Receipt, Role, Task
from flowml.ui.api.bodies.base import Answer, Asked

MOST, MOST_BYTES = 2**31 - 1, 2**53  # beyond what can be meant; arithmetic and tables hold more


class ProblemType(StrEnum):
    AUTO = "auto"
    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class TrainingAsked(Asked):
    """A training job. Only the dataset and the target must be named; the rest is chosen and explained."""

    dataset_id: str = Field(examples=["ds-01j9"])
    target_column: str = Field(description="The column to predict.", examples=["churn"])
    problem_type: ProblemType = Field(ProblemType.AUTO, description="auto: found from the target.")
    metric: str = Field("auto", description="Key of the metric to optimise; auto: by problem type.")
    time_budget: float | None = Field(
        None, gt=0, description="Minutes, fractions allowed. Default: the studio's setting.", examples=[5]
    )
    model_types: list[str] = Field(
        default=[], description="Keys of the algorithms to try; empty: all that fit.", examples=[["lightgbm"]]
    )
    n_trials_per_model: int | None = Field(None, ge=1, le=MOST, description="Most trials of each algorithm.")
    max_trials: int | None = Field(None, ge=1, le=MOST, description="Most trials in all.")
    name: str = Field("", max_length=200, description="A name for people.")
    seed: int = Field(0, ge=0, lt=2**32)
    split: str = Field("auto", description="auto, random, group:COLUMN, time:COLUMN or holdout.")
    folds: int | None = Field(None, description="Default: by the number of rows.")
    roles: dict[str, Role] = Field(default={}, description="Roles of columns that the guess got wrong.")
    max_latency_ms: float | None = Field(None, gt=0, le=MOST, description="Longest time to predict one row.")
    max_size_mb: float | None = Field(
        20.0, gt=0, le=1e6, description="Largest file of the model; null: no limit."
    )
    jobs: int | None = Field(
        None, ge=1, le=MOST, description="Cores to use; default: all that the worker gives."
    )
    machines: int | None = Field(
        None,
        ge=1,
        le=MOST,
        description="Workers that may share the trials; default: all that have nothing else to do.",
    )
    priority: bool = Field(False, description="Before other waiting jobs.")
    vram: int | None = Field(
        None,
        ge=0,
        le=MOST_BYTES,
        description="Bytes on a GPU that its worker must have; 0: any GPU. Default: it needs none.",
    )
    memory: int | None = Field(
        None, ge=1, le=MOST_BYTES, description="Bytes that its worker must have for trials."
    )

    def spec(self, default_budget_s: float) -> JobSpec:
        return JobSpec(
            target=self.target_column,
            dataset_id=self.dataset_id,
            task=self.problem_type.value,
            metric=self.metric,
            budget_s=default_budget_s if self.time_budget is None else self.time_budget * 60,
            seed=self.seed,
            algorithms=tuple(self.model_types),
            max_trials=self.max_trials,
            trials_per_algorithm=self.n_trials_per_model,
            split=self.split,
            folds=self.folds,
            roles=self.roles,
            max_latency_ms=self.max_latency_ms,
            max_size_bytes=None if self.max_size_mb is None else int(self.max_size_mb * 1e6),
            jobs=self.jobs,
            machines=self.machines,
            priority=self.priority,
            vram=self.vram,
            memory=self.memory,
            name=self.name,
        )


class TrainingChanges(Asked):
    """What shall be otherwise than in the job that is started again; what is left out stays."""

    dataset_id: str | None = None
    target_column: str | None = None
    problem_type: ProblemType | None = None
    metric: str | None = None
    time_budget: float | None = Field(None, gt=0, description="Minutes, fractions allowed.")
    model_types: list[str] | None = None
    n_trials_per_model: int | None = Field(None, ge=1, le=MOST)
    max_trials: int | None = Field(None, ge=1, le=MOST)
    name: str | None = Field(None, max_length=200)
    seed: int | None = Field(None, ge=0, lt=2**32)
    split: str | None = None
    folds: int | None = None
    roles: dict[str, Role] | None = None
    max_latency_ms: float | None = Field(None, gt=0, le=MOST)
    jobs: int | None = Field(None, ge=1, le=MOST)
    priority: bool | None = None

    def changes(self) -> Json:
        """As fields of a JobSpec."""
        given = self.model_dump(exclude_unset=True)
        found = {_FIELDS.get(name, name): value for name, value in given.items()}
        if (minutes := found.pop("time_budget", None)) is not None:
            found["budget_s"] = minutes * 60
        if "algorithms" in found:
            found["algorithms"] = tuple(found["algorithms"] or ())
        return {name: value for name, value in found.items() if value is not None or name in _OPTIONAL}


_FIELDS = {
    "target_column": "target",
    "problem_type": "task",
    "model_types": "algorithms",
    "n_trials_per_model": "trials_per_algorithm",
}
_OPTIONAL = frozenset({"trials_per_algorithm", "max_trials", "folds", "max_latency_ms", "jobs"})


class TrainingStarted(Answer):
    job_id: str = Field(examples=["job-01j9"])
    status: JobState = Field(description="The job's state.", examples=["queued"])


class JobAnswer(Answer):
    id: str = Field(examples=["job-01j9"])
    status: JobState = Field(description="Its state.")
    kind: JobKind
    name: str = Field("", description="A name for people.")
    dataset_id: str
    dataset_name: str = ""
    target_column: str
    task: Task | None = Field(None, description="Known when the table was prepared.")
    metric: str = ""
    direction: str = Field("maximize", description="maximize or minimize the metric.")
    time_budget: float = Field(description="Minutes.")
    queue: str = Field("", description="The queue it waits in or came from.")
    worker: str = Field("", description="The worker that leads it.")
    created_at: float = Field(description="Seconds since 1970, UTC.")
    started_at: float | None = None
    ended_at: float | None = None
    trials: int = Field(0, description="Trials that ended.")
    best_score: float | None = None
    champion: str = Field("", description="Id of the champion model.")
    cause: str = Field("", description="Why it failed or was lost.")
    project: str = Field("", description="Whose users see it; empty: all.")
    owner: str = Field("", description="Name of the user who started it.")
    receipt: Receipt | None = Field(None, description="What was asked of the clock and what was used.")
    findings: list[Finding] = Field(default=[], description="What the check of the table noticed.")

    @classmethod
    def of_job(cls, job: Job) -> JobAnswer:
        return cls(
            **job.to_dict()
            | {
                "status": job.state,
                "name": job.spec.name,
                "dataset_id": job.spec.dataset_id,
                "target_column": job.spec.target,
                "time_budget": job.spec.budget_s / 60,
            }
        )
