from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from rq.job import JobStatus

from flowml.runner import facts, queue, taking
from flowml.runner.queue import FlowJob, FlowQueue, Place
from flowml.runner.reaper import RULES, Reaper
from flowml.runner.settings import Settings
from flowml.runner.submission import enqueue_job
from flowml.storage import jobs
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.records import Dataset, Job, JobKind, JobSpec, JobState


@pytest.fixture
def job(db: Database, dataset: Dataset) -> Job:
    spec = JobSpec("y", dataset_id=dataset.id)
    job = Job("job-1", JobKind.TRAINING, JobState.QUEUED, spec, created_at=1.0, queue="cpu")
    with db.write() as cursor:
        jobs.insert(cursor, job)
    return job


@pytest.fixture
def reap(
    redis: Redis, db: Database, datasets: Datasets, home: Path, record_all: Callable[[], int]
) -> Callable[..., Job]:
    """A second round is sure of what the first one suspected; answers with the job after it."""
    settings = Settings(home=home, lease=0.0)
    reaper = Reaper(redis, db, datasets, settings, sure_s=0.01)

    def run(rounds: int = 2) -> Job:
        for _ in range(rounds):
            reaper.reap()
            record_all()
            time.sleep(0.02)
        with db.read() as cursor:
            return jobs.get(cursor, "job-1")

    return run


def known_as(db: Database, state: JobState) -> None:
    with db.write() as cursor:
        jobs.update(cursor, "job-1", state=state, worker="w1")


def take(redis: Redis) -> FlowJob:
    found = FlowQueue.dequeue_any(
        [queue.queue(redis, "cpu")], None, connection=redis, job_class=FlowJob, serializer="json"
    )
    assert found is not None
    return found[0]


def begin(redis: Redis, retries: int = 3) -> None:
    """As a worker would that then dies: the job has begun and its lease has run out."""
    job = take(redis)
    redis.zadd(taking.running_key("cpu"), {f"{job.id}:execution": 1.0})
    redis.lrem("rq:queue:cpu:intermediate", 0, job.id)
    redis.hset(job.key, mapping={"status": "started", "worker_name": "w1", "retries_left": retries})


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_a_job_of_a_silent_worker_is_lost_and_waits_again(
    redis: Redis, db: Database, dataset: Dataset, job: Job, reap: Callable[..., Job]
) -> None:
    enqueue_job(redis, job, dataset)
    begin(redis)
    known_as(db, JobState.RUNNING)
    lost = reap(rounds=1)
    assert (lost.state, lost.worker) == (JobState.LOST, "")
    assert "Worker w1 was not heard from" in lost.cause
    assert queue.place(redis, "cpu", "job-1") is Place.WAITING


def test_a_job_that_was_lost_too_often_has_failed(
    redis: Redis, db: Database, dataset: Dataset, job: Job, reap: Callable[..., Job]
) -> None:
    enqueue_job(redis, job, dataset)
    begin(redis, retries=0)
    known_as(db, JobState.RUNNING)
    failed = reap()
    assert failed.state is JobState.FAILED
    assert "AbandonedJobError" in failed.cause
    assert failed.ended_at is not None


def test_a_job_that_was_taken_and_never_begun_goes_back(
    redis: Redis, dataset: Dataset, job: Job, reap: Callable[..., Job]
) -> None:
    enqueue_job(redis, job, dataset)
    take(redis)
    reap()
    assert queue.place(redis, "cpu", "job-1") is Place.WAITING


@pytest.mark.parametrize("how", ["everything", "the list", "the job"])
def test_what_redis_forgot_is_queued_again(
    redis: Redis, dataset: Dataset, job: Job, reap: Callable[..., Job], how: str
) -> None:
    enqueue_job(redis, job, dataset)
    if how == "everything":
        redis.flushdb()
    else:
        redis.delete({"the list": "rq:queue:cpu", "the job": FlowJob.key_for("job-1")}[how])
    assert reap().state is JobState.QUEUED
    again = FlowJob.fetch("job-1", connection=redis, serializer="json")
    assert again.kwargs["job"]["id"] == "job-1"
    assert redis.lrange("rq:queue:cpu", 0, -1)[-1] == b"job-1"
    assert take(redis).id == "job-1"


def test_a_poisoned_job_of_ours_is_made_anew(
    redis: Redis, dataset: Dataset, job: Job, reap: Callable[..., Job]
) -> None:
    enqueue_job(redis, job, dataset)
    redis.hset(FlowJob.key_for("job-1"), "data", b"{")
    with pytest.raises(AssertionError):
        take(redis)
    reap()
    assert take(redis).id == "job-1"


def test_a_job_that_ended_without_a_word_has_failed(
    redis: Redis, db: Database, dataset: Dataset, job: Job, reap: Callable[..., Job]
) -> None:
    enqueue_job(redis, job, dataset)
    take(redis).set_status(JobStatus.FINISHED)
    known_as(db, JobState.RUNNING)
    assert reap().state is JobState.FAILED


def test_states_follow_where_the_job_is(
    redis: Redis, db: Database, dataset: Dataset, job: Job, reap: Callable[..., Job]
) -> None:
    enqueue_job(redis, job, dataset)
    known_as(db, JobState.RUNNING)
    assert reap().state is JobState.QUEUED
    take(redis)
    redis.zadd(queue.executions_key("job-1"), {"execution": 1.0})
    redis.delete("rq:queue:cpu:intermediate")
    assert reap().state is JobState.RUNNING


def test_a_job_that_has_told_its_end_is_not_queued_again(
    redis: Redis, job: Job, reap: Callable[..., Job]
) -> None:
    facts.mark_ended(redis, job.id)
    reap()
    assert queue.place(redis, "cpu", "job-1") is Place.UNKNOWN


@pytest.mark.usefixtures("job")
def test_nothing_is_concluded_while_redis_is_young_or_facts_wait(
    redis: Redis, db: Database, datasets: Datasets, home: Path
) -> None:
    Reaper(redis, db, datasets, Settings(home=home, lease=1e6), sure_s=0.0).reap()
    assert queue.place(redis, "cpu", "job-1") is Place.UNKNOWN
    with redis.pipeline() as pipeline:
        for _ in range(1_001):
            pipeline.xadd(facts.STREAM, {"fact": "{"})
        pipeline.execute()
    Reaper(redis, db, datasets, Settings(home=home, lease=0.0), sure_s=0.0).reap()
    assert queue.place(redis, "cpu", "job-1") is Place.UNKNOWN


@pytest.mark.usefixtures("job")
def test_it_must_look_wrong_for_a_while(redis: Redis, db: Database, datasets: Datasets, home: Path) -> None:
    patient = Reaper(redis, db, datasets, Settings(home=home, lease=0.0), sure_s=60.0)
    patient.reap()
    patient.reap()
    assert queue.place(redis, "cpu", "job-1") is Place.UNKNOWN


def test_work_of_jobs_that_are_over_is_removed(
    redis: Redis, db: Database, datasets: Datasets, settings: Settings, job: Job
) -> None:
    for name in (job.id, "job-that-was-deleted"):
        (settings.work / name).mkdir(parents=True)
    Reaper(redis, db, datasets, settings)._keep_house()
    assert [folder.name for folder in settings.work.iterdir()] == [job.id]
