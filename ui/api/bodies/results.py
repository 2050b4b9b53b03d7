"""Leaderboards, models and predictions, as the API takes and tells them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from flowml.storage.records import (
    Agreement,
    Importance,
    Job,
    JobState,
    LeaderboardRow,
    Model,
    Task,
    TrialState,
)
from flowml.ui.api.bodies.base import Answer, Asked

Row = dict[str, Any]


class VerificationAnswer(Answer):
    """A row that is evaluated again, and what came of it."""

    job_id: str = Field(description="Of the verification itself.")
    status: JobState
    trial: int
    cause: str = Field("", description="Why it failed.")
    agreement: Agreement | None = Field(None, description="How the scores of its folds came out.")
    gap: float | None = Field(None, description="The largest difference between two scores of one fold.")
    why: str = ""
    at: float | None = Field(None, description="When it was known.")
    worker: str = Field("", description="That evaluated it.")

    @classmethod
    def of_job(cls, job: Job) -> VerificationAnswer:
        assert job.verifying is not None
        verdict = job.verifying.verdict
        told = {} if verdict is None else verdict.to_dict()
        return cls(
            job_id=job.id,
            status=job.state,
            trial=job.verifying.row.number,
            cause=job.cause,
            agreement=told.get("agreement"),
            gap=told.get("gap"),
            why=told.get("why", ""),
            at=job.verifying.at,
            worker=job.verifying.worker or job.worker,
        )


class LeaderboardModel(Answer):
    rank: int | None = Field(None, description="1 is best; null: not complete, it never ranks.")
    name: str = Field(examples=["LightGBM 7"])
    algorithm: str = Field(examples=["lightgbm"])
    metrics: dict[str, float] = Field(description="Score by metric.", examples=[{"auc": 0.842}])
    training_time: float = Field(description="Seconds of fitting, all folds together.", examples=[3.4])
    score: float | None = Field(None, description="The job's metric, over out-of-fold predictions.")
    score_std: float | None = Field(None, description="Its spread over the folds.")
    metric: str = Field(examples=["auc"])
    latency_ms: float | None = Field(None, description="To predict one row.")
    size_bytes: int = 0
    status: TrialState
    cause: str = Field("", description="Why it has no score.")
    model_id: str = Field("", description="Set where a model of it is kept, which can predict.")
    champion: bool = False
    trial: int | None = None
    stage: str = Field("", description="baseline, portfolio, search or ensemble.")
    fold_scores: list[float] = Field(default=[])
    params: dict[str, Any] = Field(default={})
    device: str = "cpu"
    device_reason: str = Field("", description="Why it ran on the CPU where a GPU was asked for.")
    worker: str = ""
    seconds: float = Field(0.0, description="Wall clock of the whole trial.")
    rows_per_second: float | None = None
    rows: int | None = Field(None, description="That each fold learned from, where that was a sample.")

    @classmethod
    def of_row(cls, row: LeaderboardRow) -> LeaderboardModel:
        metrics = {} if row.score is None else {row.metric: row.score}
        return cls(
            **row.to_dict() | {"metrics": metrics, "training_time": row.fit_seconds, "status": row.state}
        )


class Leaderboard(Answer):
    job_id: str
    status: JobState = Field(description="The job's state: the table still grows while it runs.")
    metric: str = ""
    direction: str = "maximize"
    champion: str = Field("", description="Id of the champion model.")
    models: list[LeaderboardModel]

    @classmethod
    def of_job(cls, job: Job, rows: tuple[LeaderboardRow, ...]) -> Leaderboard:
        return cls(
            job_id=job.id,
            status=job.state,
            metric=job.metric,
            direction=job.direction,
            champion=job.champion,
            models=[LeaderboardModel.of_row(row) for row in rows],
        )


class CompactAnswer(Answer):
    """A smaller model for `download?variant=compact`."""

    score: float = Field(description="By the job's metric, on the same rows as the model's score.")
    loss: float = Field(description="How much worse than the model that is.")
    members: list[str] = Field(default=[])
    weights: list[float] = Field(default=[])
    size_bytes: int
    latency_ms: float | None = None


class Sort(StrEnum):
    RANK = "rank"
    NAME = "name"
    ALGORITHM = "algorithm"
    SCORE = "score"
    TRAINING_TIME = "training_time"
    LATENCY_MS = "latency_ms"
    SIZE_BYTES = "size_bytes"


class Order(StrEnum):
    ASC = "asc"
    DESC = "desc"


def ordered(rows: list[LeaderboardModel], sort: Sort, order: Order) -> list[LeaderboardModel]:
    """Sorted as asked; equal rows keep their order, those without a value stand last."""
    known = [row for row in rows if getattr(row, sort) is not None]
    known.sort(key=lambda row: getattr(row, sort), reverse=order is Order.DESC)
    return known + [row for row in rows if getattr(row, sort) is None]


class ModelSummary(Answer):
    """A model, without its contract."""

    id: str = Field(examples=["model-01j9"])
    job_id: str
    name: str
    algorithm: str
    task: Task
    metric: str
    score: float
    created_at: float = Field(description="Seconds since 1970, UTC.")
    champion: bool = False
    latency_ms: float | None = Field(None, description="To predict one row.")
    size: int = Field(description="Bytes of its ONNX file.")

    @classmethod
    def of_model(cls, model: Model) -> ModelSummary:
        return cls(**model.to_dict() | {"size": model.onnx.size})


class Explanations(Answer):
    """What is known of how a model decides, measured when it was made."""

    importances: list[Importance] = Field(description="How much the score falls when a column is shuffled.")
    diagnostics: dict[str, Any] = Field(
        description="Curves and tables over out-of-fold predictions, by what the task has: confusion, "
        "calibration, residuals, …"
    )


class ModelAnswer(Answer):
    id: str = Field(examples=["model-01j9"])
    job_id: str
    name: str
    algorithm: str
    task: Task
    metric: str
    score: float
    score_std: float | None = None
    created_at: float
    champion: bool = False
    trial: int | None = Field(None, description="The trial it came from; null for an ensemble.")
    latency_ms: float | None = None
    size: int = Field(description="Bytes of its ONNX file.")
    sha256: str = Field(description="Hash of its ONNX file.")
    threshold: float | None = Field(
        None, description="Probability from which a binary answer is the second class; null: the likelier."
    )
    contract: dict[str, Any] = Field(default={}, description="The columns it expects, and what it answers.")
    members: list[str] = Field(default=[], description="Of an ensemble.")
    weights: list[float] = Field(default=[], description="Of its members.")
    compact: CompactAnswer | None = Field(None, description="A smaller model beside it.")
    importances: list[Importance] = Field(
        default=[], description="How much the score falls when a column is shuffled."
    )

    @classmethod
    def of_model(cls, model: Model) -> ModelAnswer:
        return cls(**model.to_dict() | {"size": model.onnx.size, "sha256": model.onnx.sha256})


class PredictAsked(Asked):
    """One row as an object, or many as a list of objects: the columns' names and their values."""

    data: Row | list[Row] = Field(examples=[{"tenure": 12, "contract": "Two year"}])
    per_row: bool = Field(False, description="Answer with `row_warnings` too, for many rows.")


class PredictionWarning(Answer):
    """Something that the model had to read in its own way, and the first row (from 0) that has it."""

    row: int | None = None
    column: str | None = None
    message: str
    rows: int = Field(1, description="How many rows have it.")


class Prediction(Answer):
    """For one row: one value each. For a list of rows: lists of the same length."""

    prediction: Any = Field(description="The label or the number; for many rows a list.", examples=["No"])
    probability: Any = Field(
        None,
        description="By class; null for regression; for many rows a list.",
        examples=[{"No": 0.83, "Yes": 0.17}],
    )
    execution_time: float = Field(description="Seconds, measured in the studio.", examples=[0.0011])
    warnings: list[PredictionWarning] = Field(
        default=[], description="Each kind in each column once, at most 100 of them."
    )
    row_warnings: list[str] | None = Field(
        None, description="All that was remarked of each single row, empty where nothing was."
    )
    model_id: str = ""
