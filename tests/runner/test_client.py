from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from redis import Redis

from flowml.runner import catalog, control, events, queue, roster
from flowml.runner.client import Client
from flowml.runner.connection import connect
from flowml.runner.events import EventWriter
from flowml.runner.queue import FlowJob
from flowml.runner.settings import Settings
from flowml.storage import jobs, models, trials, workers
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.cells import plain
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, EmptyFile, NotFound, NotReady, SpecError, UnknownColumn
from flowml.storage.records import (
    Capabilities,
    Control,
    Dataset,
    EventKind,
    Inquiry,
    Job,
    JobSpec,
    JobState,
    Model,
    Task,
    TrialRecord,
    TrialState,
    Worker,
)

MACHINE = Capabilities("a cpu", 4, 2, 4, None, 8 * 2**30, 4 * 2**30, hostname="here")
WORKER = Worker("w1", ("cpu",), MACHINE, started_at=1.0, heartbeat=2.0)


@pytest.fixture
def client(db: Database, datasets: Datasets, redis: Redis, settings: Settings) -> Client:
    artifacts = LocalArtifacts(settings.artifacts)
    return Client(db, datasets, artifacts, redis, settings, catalog.choices())


@pytest.fixture
def spec(dataset: Dataset) -> JobSpec:
    return JobSpec("y", dataset_id=dataset.id)


def known_as(db: Database, job: Job, state: JobState, **changes: object) -> None:
    with db.write() as cursor:
        jobs.update(cursor, job.id, state=state, **changes)


# --- datasets ---------------------------------------------------------------------------------------------


def test_a_file_becomes_a_dataset(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text("day,amount\n2024-01-02,1.5\n2024-01-03,\n")
    dataset = client.add_dataset(path, "days", "days.csv")
    assert [each.id for each in client.datasets()] == [dataset.id]
    assert client.dataset(dataset.id) == dataset
    rows = [["2024-01-02", 1.5], ["2024-01-03", None]]
    assert client.preview(dataset.id) == {"columns": ["day", "amount"], "rows": rows}
    assert [(row["column"], row["missing"]) for row in client.dataset_stats(dataset.id)] == [
        ("day", 0),
        ("amount", 1),
    ]
    path.write_text("")
    with pytest.raises(EmptyFile):
        client.add_dataset(path, "nothing", "nothing.csv")


CELLS = [
    (date(2024, 1, 2), "2024-01-02"),
    (datetime(2024, 1, 2, 3, 4, tzinfo=UTC), "2024-01-02T03:04:00+00:00"),
    (float("nan"), None),
    (float("inf"), None),
    (1.5, 1.5),
    (True, True),
    (None, None),
    (Decimal("1.10"), "1.10"),
    ("ü", "ü"),
]


@pytest.mark.parametrize(("cell", "shown"), CELLS, ids=repr)
def test_cells_are_plain_json(cell: object, shown: object) -> None:
    assert plain(cell) == shown


def test_a_deleted_dataset_is_only_found_by_its_jobs(client: Client, spec: JobSpec, dataset: Dataset) -> None:
    client.delete_dataset(dataset.id)
    assert client.datasets() == ()
    assert client.dataset(dataset.id).deleted
    for ask in (client.preview, client.dataset_stats, client.delete_dataset):
        with pytest.raises(NotFound, match="was deleted"):
            ask(dataset.id)
    with pytest.raises(NotFound, match=r"'small' \(.*\) was deleted"):
        client.submit(spec)


def test_a_dataset_is_meant_by_its_name_as_well(client: Client, spec: JobSpec, tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text("day,amount\n2024-01-02,1.5\n2024-01-03,\n")
    first, second = (client.add_dataset(path, "a: b") for _ in range(2))
    assert client.dataset("a: b") == client.dataset("a: b:2") == second
    assert client.dataset("a: b:1") == first
    assert [each.id for each in client.versions("a: b")] == [second.id, first.id]
    client.delete_dataset("a: b")
    assert client.dataset("a: b") == first
    assert client.move_dataset("a: b", first.project) == first
    assert client.submit(dataclasses.replace(spec, dataset_id="small")).spec.dataset_id == spec.dataset_id
    for unknown in ("a", "a: b:2", "a: b:x", ":1", ""):
        with pytest.raises(NotFound, match="no dataset"):
            client.dataset(unknown)


def test_a_dataset_in_use_is_not_deleted(client: Client, spec: JobSpec, dataset: Dataset) -> None:
    job = client.submit(spec)
    with pytest.raises(Conflict, match=f"in use by job {job.id}, which is queued"):
        client.delete_dataset(dataset.id)
    client.cancel(job.id)
    client.delete_dataset(dataset.id)


# --- jobs -------------------------------------------------------------------------------------------------


def test_a_job_is_written_down_and_queued(
    client: Client, spec: JobSpec, dataset: Dataset, redis: Redis
) -> None:
    job = client.submit(spec)
    assert client.jobs() == (job,)
    assert (job.state, job.queue, job.dataset_name) == (JobState.QUEUED, "cpu", "small")
    queued = FlowJob.fetch(job.id, connection=redis, serializer="json")
    assert Job.from_dict(queued.kwargs["job"]) == job
    assert Dataset.from_dict(queued.kwargs["dataset"]) == dataset
    assert client.queues()["cpu"] == 1


def test_an_urgent_job_goes_to_the_first_queue(client: Client, spec: JobSpec) -> None:
    assert client.submit(dataclasses.replace(spec, priority=True)).queue == "priority"
    assert client.queues()["priority"] == 1


def test_what_cannot_be_done_leaves_nothing_behind(client: Client, spec: JobSpec) -> None:
    for wrong, error in (
        (dataclasses.replace(spec, target="z"), UnknownColumn),
        (dataclasses.replace(spec, budget_s=0.0), SpecError),
        (dataclasses.replace(spec, dataset_id="nothing"), NotFound),
    ):
        with pytest.raises(error):
            client.submit(wrong)
    assert client.jobs() == ()


def test_two_tabs_start_two_jobs(client: Client, spec: JobSpec) -> None:
    started = [threading.Thread(target=client.submit, args=(spec,)) for _ in range(8)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert len({job.id for job in client.jobs()}) == 8
    assert client.queues()["cpu"] == 8


def test_without_redis_a_job_is_refused(
    db: Database, datasets: Datasets, settings: Settings, spec: JobSpec
) -> None:
    away = connect("redis://127.0.0.1:1/0")
    client = Client(db, datasets, LocalArtifacts(settings.artifacts), away, settings)
    with pytest.raises(NotReady, match="Redis does not answer"):
        client.submit(spec)
    assert client.jobs() == ()
    assert client.health()["status"] == "degraded"


def test_a_waiting_job_is_cancelled_at_once(client: Client, spec: JobSpec) -> None:
    job = client.submit(spec)
    cancelled = client.cancel(job.id)
    assert cancelled.state is JobState.CANCELLED
    assert cancelled.ended_at is not None
    assert client.queues()["cpu"] == 0
    assert client.cancel(job.id) == cancelled
    assert client.stop(job.id) == cancelled


def test_a_job_that_redis_forgot_is_cancelled_at_once(client: Client, spec: JobSpec, redis: Redis) -> None:
    job = client.submit(spec)
    redis.flushdb()
    assert client.cancel(job.id).state is JobState.CANCELLED


@pytest.mark.parametrize(("end", "wish"), [("cancel", Control.CANCEL), ("stop", Control.STOP)])
def test_a_running_job_is_asked(
    client: Client, spec: JobSpec, db: Database, redis: Redis, end: str, wish: Control
) -> None:
    job = client.submit(spec)
    redis.delete("rq:queue:cpu")
    known_as(db, job, JobState.RUNNING)
    assert getattr(client, end)(job.id).state is JobState.RUNNING
    asked = control.asked(redis, job.id)
    assert asked is not None
    assert asked.control is wish


def test_the_clock_of_a_job_is_that_of_its_worker(client: Client, spec: JobSpec, redis: Redis) -> None:
    job = client.submit(spec)
    assert client.used_s(job.id) is None
    with EventWriter(redis, job.id) as writer:
        writer.tell(EventKind.STATE, state="paused", elapsed_s=12.5)
    assert client.used_s(job.id) == 12.5
    with pytest.raises(NotFound):
        client.used_s("job-gone")


def test_to_stop_a_waiting_job_that_has_trials_keeps_them(
    client: Client, spec: JobSpec, db: Database
) -> None:
    job = client.submit(spec)
    known_as(db, job, JobState.LOST, trials=3)
    assert client.stop(job.id).state is JobState.LOST
    assert client.queues()["cpu"] == 1


def test_an_ended_job_has_no_other_end(client: Client, spec: JobSpec, db: Database) -> None:
    job = client.submit(spec)
    known_as(db, job, JobState.FINISHED)
    for end in (client.cancel, client.stop):
        with pytest.raises(Conflict, match="is finished already"):
            end(job.id)


def test_a_job_is_deleted_with_all_that_is_its_own(
    client: Client, spec: JobSpec, db: Database, redis: Redis, settings: Settings
) -> None:
    artifacts = LocalArtifacts(settings.artifacts)
    kept, dropped = artifacts.put_bytes(b"shared"), artifacts.put_bytes(b"own")
    job, other = client.submit(spec), client.submit(spec)
    with db.write() as cursor:
        trials.upsert(cursor, job.id, TrialRecord(0, "dummy", {}, TrialState.COMPLETE, score=0.5))
        for id, job_id, file in (("m1", job.id, kept), ("m2", job.id, dropped), ("m3", other.id, kept)):
            models.insert(cursor, Model(id, job_id, "m", "dummy", Task.BINARY, "auc", 0.5, 1.0, file))
    with EventWriter(redis, job.id) as writer:
        writer.tell(EventKind.STAGE, text="Searching")
    assert len(client.events(job.id)) == 1
    assert client.model_file("m2").read_bytes() == b"own"
    with pytest.raises(Conflict, match="is queued"):
        client.delete_job(job.id)

    asked, of_another = (client.inquire(Inquiry(id, "What matters most?")) for id in ("m1", "m3"))
    for each in (job, asked, of_another):
        client.cancel(each.id)
    client.delete_job(job.id)

    for gone in (job, asked):  # an answer tells what a model was
        with pytest.raises(NotFound):
            client.job(gone.id)
    assert client.inquiry(of_another.id).state is JobState.CANCELLED
    assert [model.id for model in client.models()] == ["m3"]
    assert artifacts.has(kept.sha256)
    assert not artifacts.has(dropped.sha256)
    assert events.read(redis, job.id) == ()


def test_what_is_not_there_is_not_found(client: Client) -> None:
    asks: tuple[Callable[[str], object], ...] = (
        client.job,
        client.dataset,
        client.model,
        client.model_file,
        client.trials,
        client.leaderboard,
        client.cancel,
        client.delete_job,
        client.forget_worker,
    )
    for ask in asks:
        with pytest.raises(NotFound):
            ask("nothing")


# --- workers and the whole --------------------------------------------------------------------------------


def test_workers_are_live_or_remembered(client: Client, db: Database, redis: Redis) -> None:
    with db.write() as cursor:
        workers.upsert(cursor, dataclasses.replace(WORKER, name="w0", job_id="job-0"))
        workers.upsert(cursor, WORKER)
    roster.announce(redis, dataclasses.replace(WORKER, state="busy", job_id="job-1"), ttl_s=30)
    assert [(each.name, each.state, each.job_id) for each in client.workers()] == [
        ("w1", "busy", "job-1"),
        ("w0", "offline", ""),
    ]
    with pytest.raises(Conflict, match="is online"):
        client.forget_worker("w1")
    client.forget_worker("w0")
    assert [each.name for each in client.workers()] == ["w1"]


def test_the_cluster_adds_up_machines_and_not_workers(client: Client, redis: Redis) -> None:
    for name in ("w1", "w2"):
        roster.announce(redis, dataclasses.replace(WORKER, name=name), ttl_s=30)
    cluster = client.cluster()
    assert (cluster["online"], cluster["cpus"], cluster["ram_total"]) == (2, 4, 8 * 2**30)
    assert cluster["advice"] == []
    assert cluster["queues"] == queue.depths(redis)


def test_that_no_worker_is_online_is_said(client: Client, spec: JobSpec) -> None:
    client.submit(spec)
    assert "No worker is online" in client.cluster()["advice"][0]
    health = client.health()
    assert (health["status"], health["workers_online"], health["jobs_active"]) == ("ok", 0, 1)
    assert "flowml-worker start" in health["advice"][0]


def test_counts(client: Client, spec: JobSpec, redis: Redis) -> None:
    client.submit(spec)
    roster.announce(redis, WORKER, ttl_s=30)
    stats = client.stats()
    assert (stats["datasets"], stats["jobs"]["queued"], stats["models"], stats["workers_online"]) == (
        1,
        1,
        0,
        1,
    )
    assert set(stats["jobs"]) == {state.value for state in JobState}


def test_the_client_is_light() -> None:
    import subprocess
    import sys

    heavy = "{'optuna', 'sklearn', 'onnx', 'onnxruntime', 'lightgbm', 'flowml.automl'}"
    code = f"import sys, flowml.runner.client\nassert not {heavy} & set(sys.modules)"
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True)
    assert time.monotonic() - began < 20
