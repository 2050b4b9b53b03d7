"""Real trainings on real workers, through the client: to the end, cancelled, killed and stopped."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from flowml.runner import facts, logs
from flowml.runner.client import Client
from flowml.runner.jobs import help_study, train
from flowml.runner.reaper import Reaper
from flowml.runner.recorder import Recorder
from flowml.runner.serving import Serving
from flowml.runner.settings import Settings
from flowml.runner.workplace import WORKPLACE, Workplace
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import NotAllowed
from flowml.storage.records import (
    ENDED,
    Dataset,
    EventKind,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Role,
    TrialState,
)

Start = Callable[[str], Any]


@pytest.fixture
def client(db: Database, datasets: Datasets, redis: Redis, settings: Settings) -> Iterator[Client]:
    """With all that the studio runs beside it."""
    recorder = Recorder(redis, db)
    reaper = Reaper(redis, db, datasets, settings, interval_s=0.2, sure_s=1.0)
    recorder.start()
    reaper.start()
    yield Client(db, datasets, LocalArtifacts(settings.artifacts), redis, settings)
    reaper.stop()
    recorder.stop()


def test_a_training_ends_with_a_model_that_predicts(
    client: Client, dataset: Dataset, start_worker: Start, settings: Settings, eventually: Callable[..., None]
) -> None:
    start_worker("w1")
    quick = JobSpec("y", dataset_id=dataset.id, budget_s=20.0, max_trials=1, algorithms=("logistic",))
    job = client.submit(quick)
    eventually(lambda: client.job(job.id).state in ENDED, 60)
    ended = client.job(job.id)
    assert (ended.state, ended.cause, ended.worker) == (JobState.FINISHED, "", "w1")
    (model,) = client.models(job.id)
    assert (ended.champion, ended.best_score) == (model.id, model.score)
    assert ended.receipt is not None
    assert [row.model_id for row in client.leaderboard(job.id) if row.champion] == [model.id]
    assert [trial.algorithm for trial in client.trials(job.id)] == ["dummy", "logistic"]
    rows = [{"x": 0.5, "colour": "red"}, {"x": 19.5, "colour": "blue"}]
    answers = Serving(client).predict(model.id, rows)
    assert list(answers.values) == ["no", "yes"]
    kinds = {event.kind for event in client.events(job.id)}
    assert kinds == set(EventKind)
    assert list(settings.work.iterdir()) == []
    assert any(line.job_id == job.id and line.source == "w1" for line in client.logs())


def test_a_running_training_is_cancelled_at_once(
    client: Client, dataset: Dataset, start_worker: Start, settings: Settings, eventually: Callable[..., None]
) -> None:
    start_worker("w1")
    job = client.submit(JobSpec("y", dataset_id=dataset.id, budget_s=60.0))
    eventually(lambda: client.job(job.id).state is JobState.RUNNING)
    time.sleep(1.0)
    client.cancel(job.id)
    eventually(lambda: client.job(job.id).state is JobState.CANCELLED, 20)
    eventually(lambda: list(settings.work.iterdir()) == [])
    assert client.models(job.id) == ()


def test_a_training_goes_on_after_its_worker_was_killed_and_stops_with_the_best(
    client: Client, dataset: Dataset, start_worker: Start, eventually: Callable[..., None]
) -> None:
    killed = start_worker("w1")
    job = client.submit(JobSpec("y", dataset_id=dataset.id, budget_s=120.0))

    def complete() -> list[int]:
        return [trial.number for trial in client.trials(job.id) if trial.state is TrialState.COMPLETE]

    eventually(complete, 30)
    killed.kill()
    before = complete()
    start_worker("w1")
    eventually(lambda: len(complete()) > len(before), 40)
    client.stop(job.id)
    eventually(lambda: client.job(job.id).state in ENDED, 30)
    assert client.job(job.id).state is JobState.STOPPED
    assert len(client.models(job.id)) == 1
    numbers = [trial.number for trial in client.trials(job.id)]
    assert len(numbers) == len(set(numbers))
    assert set(before) <= set(numbers)


@pytest.fixture
def place(settings: Settings, redis_url: str) -> Iterator[Workplace]:
    """Jobs then run in this process, as in a work-horse."""
    token = WORKPLACE.set(Workplace(settings, redis_url, "here", slots=1))
    yield WORKPLACE.get()
    WORKPLACE.reset(token)
    logs.take_down()
    logging.getLogger("flowml").setLevel(logging.NOTSET)


def run(job: Job, dataset: Dataset) -> str:
    return train(job.to_dict(), dataset.to_dict())


def test_a_table_out_of_reach_is_a_failed_job_that_says_what_to_do(
    client: Client, dataset: Dataset, place: Workplace, eventually: Callable[..., None]
) -> None:
    job = client.submit(JobSpec("y", dataset_id=dataset.id))
    LocalArtifacts(place.settings.artifacts).delete(dataset.sha256)
    assert run(job, dataset) == "failed"
    eventually(lambda: client.job(job.id).state is JobState.FAILED)
    assert "FLOWML_ARTIFACTS_FOLDER" in client.job(job.id).cause


@pytest.mark.usefixtures("place")
def test_what_the_data_forbids_is_a_failed_job_with_its_cause(
    client: Client, dataset: Dataset, eventually: Callable[..., None]
) -> None:
    roles = {"x": Role.IGNORED, "colour": Role.IGNORED}
    job = client.submit(JobSpec("y", dataset_id=dataset.id, roles=roles))
    assert run(job, dataset) == "failed"
    eventually(lambda: client.job(job.id).state is JobState.FAILED)
    failed = client.job(job.id)
    assert "column" in failed.cause
    assert failed.receipt is not None


def test_a_job_that_names_another_folder_as_its_own_is_refused(
    dataset: Dataset, place: Workplace, settings: Settings
) -> None:
    victim = settings.home / "victim"
    victim.mkdir()
    spec = JobSpec("y", dataset_id=dataset.id)
    for id in ("../victim", str(victim), ".", ""):
        job = Job(id, JobKind.TRAINING, JobState.QUEUED, spec, 0.0)
        with pytest.raises(NotAllowed, match="is no id"):
            run(job, dataset)
        with pytest.raises(NotAllowed, match="is no id"):
            help_study(job.to_dict(), dataset.to_dict())
    assert list(victim.iterdir()) == []
    assert place.settings.work == settings.home / "work"


@pytest.mark.usefixtures("place")
def test_a_job_that_has_told_its_end_does_not_run_again(
    client: Client, dataset: Dataset, redis: Redis
) -> None:
    job = client.submit(JobSpec("y", dataset_id=dataset.id))
    facts.mark_ended(redis, job.id)
    assert "ended before" in run(job, dataset)


@pytest.mark.usefixtures("place")
def test_a_job_that_was_cancelled_before_it_began_ends_at_once(
    client: Client, dataset: Dataset, redis: Redis, eventually: Callable[..., None]
) -> None:
    job = client.submit(JobSpec("y", dataset_id=dataset.id))
    redis.delete("rq:queue:cpu")
    redis.rpush("rq:queue:cpu:intermediate", job.id)
    client.cancel(job.id)
    assert run(job, dataset) == "cancelled"
    eventually(lambda: client.job(job.id).state is JobState.CANCELLED)


@pytest.mark.usefixtures("place")
def test_a_fault_of_ours_is_a_failed_job_too(
    client: Client, dataset: Dataset, eventually: Callable[..., None]
) -> None:
    job = client.submit(JobSpec("y", dataset_id=dataset.id))
    broken = dataclasses.replace(dataset, sha256="0" * 3)
    assert run(job, broken) == "failed"
    eventually(lambda: client.job(job.id).state is JobState.FAILED)
