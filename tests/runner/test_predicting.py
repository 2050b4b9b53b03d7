"""Files predicted as jobs: run by a real worker, cancelled, failed, and deleted with all they kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from redis import Redis

from flowml.automl.onnx import build
from flowml.automl.onnx.metadata import add
from flowml.automl.serve import Predictor
from flowml.runner import logs
from flowml.runner.client import Client
from flowml.runner.jobs import predict
from flowml.runner.queue import PREDICT, FlowJob
from flowml.runner.reaper import Reaper
from flowml.runner.recorder import Recorder
from flowml.runner.settings import Settings
from flowml.runner.workplace import WORKPLACE, Workplace
from flowml.storage import jobs, models
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.drift import reference
from flowml.storage.errors import Conflict, NotFound, SpecError
from flowml.storage.records import (
    ENDED,
    Dataset,
    EventKind,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Model,
    Severity,
    Task,
)
from tests.automl.conftest import mixed_table
from tests.automl.onnx.champions import train

Start = Callable[[str], Any]


@pytest.fixture(scope="module")
def content() -> bytes:
    trained = train(Task.BINARY, ("lightgbm",))
    told = {"reference": reference(mixed_table().drop("note")).to_dict()}
    return add(build(trained.contract, trained.members), told)


@pytest.fixture
def client(db: Database, datasets: Datasets, redis: Redis, settings: Settings) -> Iterator[Client]:
    recorder = Recorder(redis, db)
    reaper = Reaper(redis, db, datasets, settings, interval_s=0.2, sure_s=1.0)
    recorder.start()
    reaper.start()
    yield Client(db, datasets, LocalArtifacts(settings.artifacts), redis, settings)
    reaper.stop()
    recorder.stop()


@pytest.fixture
def model(db: Database, settings: Settings, content: bytes) -> Model:
    """A model that some job has trained."""
    onnx = LocalArtifacts(settings.artifacts).put_bytes(content)
    contract = Predictor(content).contract.to_dict()
    job = Job("job-m", JobKind.TRAINING, JobState.FINISHED, JobSpec("score"), 1.0)
    made = Model(
        "model-m", "job-m", "LightGBM", "lightgbm", Task.BINARY, "roc_auc", 0.8, 1.0, onnx, contract=contract
    )
    with db.write() as cursor:
        jobs.insert(cursor, job)
        models.insert(cursor, made)
    return made


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    frame = mixed_table(150, seed=5).with_columns(plan=pl.lit("gold"))
    frame.write_csv(tmp_path / "new customers.csv")
    return tmp_path / "new customers.csv"


@pytest.fixture
def place(settings: Settings, redis_url: str) -> Iterator[Workplace]:
    """Jobs then run in this process, as in a work-horse."""
    token = WORKPLACE.set(Workplace(settings, redis_url, "here", slots=1))
    yield WORKPLACE.get()
    WORKPLACE.reset(token)
    logs.take_down()
    logging.getLogger("flowml").setLevel(logging.NOTSET)


def test_a_worker_answers_a_file(
    client: Client,
    model: Model,
    rows: Path,
    start_worker: Start,
    eventually: Callable[..., None],
) -> None:
    job = client.predict_file(model.id, rows, rows.name, "parquet")
    assert (job.kind, job.state, job.queue) == (JobKind.PREDICTION, JobState.QUEUED, "priority")
    assert client.jobs() == client.jobs(kind=JobKind.TRAINING)
    with pytest.raises(Conflict, match="is queued"):
        client.answers(job.id)
    start_worker("w1")
    eventually(lambda: client.job(job.id).state in ENDED, 60)
    done = client.prediction(job.id)
    assert (done.state, done.cause, done.worker) == (JobState.FINISHED, "", "w1")
    assert done.scoring is not None
    assert (done.scoring.done, done.scoring.rows) == (150, 150)
    assert any("'gold' was not seen" in warning for warning in done.scoring.warnings)
    assert done.scoring.drift is not None
    plan = next(each for each in done.scoring.drift.columns if each.column == "plan")
    assert (plan.severity, plan.new_values) == (Severity.WARNING, ("gold",))
    assert all(
        each.severity is None
        for each in done.scoring.drift.columns
        if each.column in ("age", "member", "city")
    )
    path, name = client.answers(job.id)
    assert name == "new customers-predictions.parquet"
    predictor = Predictor(client.model_file(model.id))
    wanted = predictor.predict(mixed_table(150, seed=5).with_columns(plan=pl.lit("gold")))
    assert pl.read_parquet(path)["prediction"].to_list() == wanted.values.tolist()
    assert client.predictions(model.id) == (done,)
    assert client.predictions("model-x") == ()
    assert {event.kind for event in client.events(job.id)} >= {EventKind.STAGE, EventKind.STATE}


def test_rows_of_a_dataset_are_predicted_and_the_dataset_stays(
    client: Client, model: Model, dataset: Dataset, place: Workplace, eventually: Callable[..., None]
) -> None:
    """Its columns are not those of the model, which is said."""
    job = client.predict_dataset(model.id, dataset.id)
    assert predict(job.to_dict()) == "failed"
    eventually(lambda: client.job(job.id).state is JobState.FAILED)
    assert "None of the columns" in client.job(job.id).cause
    client.delete_job(job.id)
    assert LocalArtifacts(place.settings.artifacts).has(dataset.sha256)


def test_a_prediction_ends_when_it_is_cancelled(
    client: Client, model: Model, rows: Path, redis: Redis, place: Workplace, eventually: Callable[..., None]
) -> None:
    job = client.predict_file(model.id, rows, rows.name)
    redis.delete("rq:queue:priority")
    redis.rpush("rq:queue:priority:intermediate", job.id)
    client.stop(job.id)
    assert predict(job.to_dict()) == "cancelled"
    eventually(lambda: client.job(job.id).state is JobState.CANCELLED)
    assert list(place.settings.work.iterdir()) == []


def test_with_a_job_go_its_files(
    client: Client, model: Model, rows: Path, place: Workplace, eventually: Callable[..., None]
) -> None:
    first, second = (client.predict_file(model.id, rows, rows.name) for _ in range(2))
    for job in (first, second):
        assert predict(job.to_dict()) == "finished"
    eventually(lambda: {client.job(job.id).state for job in (first, second)} == {JobState.FINISHED})
    artifacts, asked = LocalArtifacts(place.settings.artifacts), client.job(first.id).scoring
    assert asked is not None
    assert asked.answer is not None
    client.delete_job(first.id)  # the other one has the same files
    assert artifacts.has(asked.source.sha256)
    assert artifacts.has(asked.answer.sha256)
    client.delete_job(second.id)
    assert not artifacts.has(asked.source.sha256)
    assert not artifacts.has(asked.answer.sha256)
    assert artifacts.has(model.onnx.sha256)


def test_what_redis_forgot_is_queued_again_without_a_dataset(
    client: Client, model: Model, rows: Path, redis: Redis, eventually: Callable[..., None]
) -> None:
    job = client.predict_file(model.id, rows, rows.name)
    redis.delete("rq:queue:priority", FlowJob.key_for(job.id))
    eventually(lambda: redis.llen("rq:queue:priority") == 1)
    assert FlowJob.fetch(job.id, connection=redis, serializer="json").func_name == PREDICT


def test_what_cannot_be_asked_is_refused(client: Client, model: Model, rows: Path) -> None:
    with pytest.raises(SpecError, match="ods"):
        client.predict_file(model.id, rows, rows.name, "ods")
    with pytest.raises(NotFound):
        client.predict_file("model-x", rows, rows.name)
    with pytest.raises(NotFound):
        client.predict_dataset(model.id, "dataset-x")
    with pytest.raises(NotFound, match="predicts no file"):
        client.prediction("job-m")
    assert client.predictions() == ()
