"""Rows of a leaderboard: evaluated again by a worker and stamped, and written as scripts."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator

import polars as pl
import pytest
from redis import Redis

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.candidate import Candidate
from flowml.automl.evaluate import Limits, evaluate
from flowml.automl.prepared import prepare_frame
from flowml.runner import logs, scripts
from flowml.runner.client import Client
from flowml.runner.jobs import verify
from flowml.runner.queue import VERIFY, FlowJob
from flowml.runner.settings import Settings
from flowml.runner.workplace import WORKPLACE, Workplace
from flowml.storage import jobs, models, trials
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, NotFound, NotReady
from flowml.storage.records import (
    Agreement,
    Artifact,
    Dataset,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Model,
    Task,
    TrialState,
)

JOB = "job-t"


@pytest.fixture
def place(settings: Settings, redis_url: str) -> Iterator[Workplace]:
    """Jobs then run in this process, as in a work-horse."""
    token = WORKPLACE.set(Workplace(settings, redis_url, "here", slots=1))
    yield WORKPLACE.get()
    WORKPLACE.reset(token)
    logs.take_down()
    logging.getLogger("flowml").setLevel(logging.NOTSET)


@pytest.fixture
def model(db: Database, settings: Settings, dataset: Dataset) -> Model:
    """Of a job that has ended: trial 0 as it was, trial 1 with a score that it never had, trial 2 failed."""
    spec = JobSpec("y", dataset_id=dataset.id, folds=2, budget_s=10.0)
    frame = pl.read_parquet(LocalArtifacts(settings.artifacts).path(dataset.sha256))
    prepared = prepare_frame(frame, dataset.schema, spec)
    usual = ALGORITHMS["logistic"].defaults(prepared.shape)
    row = evaluate(prepared, Candidate(0, "logistic", usual, seed=3), Limits(60)).record
    row = dataclasses.replace(row, worker="w1")
    wrong = dataclasses.replace(row, number=1, fold_scores=(0.25, 0.75))
    failed = dataclasses.replace(row, number=2, fold_scores=(), score=None, state=TrialState.FAILED)
    job = Job(JOB, JobKind.TRAINING, JobState.FINISHED, spec, 1.0, champion="model-t")
    made = Model(
        "model-t", JOB, "Logistic", "logistic", Task.BINARY, "roc_auc", 1.0, 1.0, Artifact("ab" * 32, 5),
        contract=prepared.contract.to_dict(),
    )  # fmt: skip
    with db.write() as cursor:
        jobs.insert(cursor, job)
        models.insert(cursor, made)
        for each in (row, wrong, failed):
            trials.upsert(cursor, JOB, each)
    return made


@pytest.fixture
def client(db: Database, datasets: Datasets, redis: Redis, settings: Settings, model: Model) -> Client:
    """Of a studio with that model."""
    assert model.champion is False
    return Client(db, datasets, LocalArtifacts(settings.artifacts), redis, settings)


@pytest.mark.usefixtures("place")
def test_a_row_is_evaluated_again_and_stamped(
    client: Client,
    dataset: Dataset,
    redis: Redis,
    record_all: Callable[[], int],
) -> None:
    assert client.stamps(JOB) == {}
    for trial, agreement in ((0, Agreement.SAME), (1, Agreement.DIFFERENT)):
        asked = client.verify_row(JOB, trial)
        assert client.verify_row(JOB, trial).id == asked.id
        assert FlowJob.fetch(asked.id, redis, serializer="json").func_name == VERIFY
        assert verify(asked.to_dict(), dataset.to_dict()) == "finished"
        record_all()
        stamp = client.stamps(JOB)[trial]
        assert stamp.verdict is not None
        assert (stamp.verdict.agreement, stamp.worker, stamp.verdict.folds) == (agreement, "here", 2)
        assert (stamp.verdict.gap or 0.0) > 0.2 or agreement is Agreement.SAME
        assert stamp.at is not None
    assert [job.id for job in client.jobs()] == [JOB]
    assert len(client.verifications(JOB)) == 2


def test_what_cannot_be_compared_is_refused(client: Client) -> None:
    with pytest.raises(NotFound, match="no trial 9"):
        client.verify_row(JOB, 9)
    with pytest.raises(Conflict, match="no scores to compare"):
        client.verify_row(JOB, 2)


def test_a_verification_that_was_cancelled_ends_and_goes_with_its_job(
    client: Client,
) -> None:
    asked = client.verify_row(JOB, 0)
    client.cancel(asked.id)
    assert client.job(asked.id).state is JobState.CANCELLED
    client.delete_job(JOB)
    with pytest.raises(NotFound):
        client.job(asked.id)


def test_a_row_is_written_as_a_script_and_as_a_notebook(
    client: Client, dataset: Dataset, db: Database
) -> None:
    text = scripts.script_of(client, JOB, 0)
    compile(text, "script", "exec")
    assert dataset.sha256 in text
    assert '"nbformat": 4' in scripts.script_of(client, JOB, 0, scripts.NOTEBOOK)
    with pytest.raises(NotFound, match="no trial 9"):
        scripts.script_of(client, JOB, 9)
    with db.write() as cursor:
        jobs.update(cursor, JOB, champion="")
    with pytest.raises(NotReady, match="has no model"):
        scripts.script_of(client, JOB, 0)
