"""Files of rows for a model, as the API takes and tells them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flowml.storage.records import DriftSummary, Job, JobState, Receipt
from flowml.ui.api.bodies.base import Answer, Asked


class BatchAsked(Asked):
    dataset_id: str = Field(description="The dataset whose rows are predicted.")
    format: Literal["csv", "parquet", "xlsx"] = Field("csv", description="Of the answers.")


class DriftAsked(Asked):
    dataset_id: str = Field(description="The dataset whose rows are compared.")


class BatchAnswer(Answer):
    job_id: str = Field(examples=["job-01j9"])
    status: JobState = Field(description="The job's state.")
    model_id: str
    file: str = Field(description="What the file with the rows is called.")
    dataset_id: str = Field("", description="Of the dataset, if it is one.")
    format: str
    done: int = Field(0, description="Rows that are predicted.")
    rows: int | None = Field(None, description="Rows in all; null where the file does not tell before.")
    size: int | None = Field(None, description="Bytes of the answers, once they are there.")
    warnings: list[str] = Field(default=[], description="Each with the first row that has it, from 0.")
    more_warnings: int = Field(0, description="Kinds of warnings that are not listed.")
    drift: DriftSummary | None = Field(None, description="How the rows differ from those of the training.")
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    worker: str = ""
    cause: str = Field("", description="Why it failed.")
    receipt: Receipt | None = None

    @classmethod
    def of_job(cls, job: Job) -> BatchAnswer:
        asked = job.scoring
        assert asked is not None
        return cls(
            **job.to_dict()
            | asked.to_dict()
            | {
                "job_id": job.id,
                "status": job.state,
                "file": asked.source.name,
                "dataset_id": job.spec.dataset_id,
                "size": asked.answer.size if asked.answer else None,
            }
        )
