"""Workers that are told to pause, to drain and to go on; what is known of how they were."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flowml.runner import history, queue, roster
from flowml.runner.client import Client
from flowml.runner.settings import Settings
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import NotFound
from flowml.storage.records import Capabilities, GpuLoad, Moment, Worker

Start = Callable[..., Any]
Eventually = Callable[..., None]


@pytest.fixture
def client(db: Database, datasets: Datasets, redis: Redis, settings: Settings) -> Client:
    return Client(db, datasets, LocalArtifacts(settings.artifacts), redis, settings)


def submit(redis: Redis, job_id: str, seconds: float = 0.0) -> None:
    queue.enqueue(redis, "cpu", job_id, {"key": "marks", "seconds": seconds}, 600, "workbench.mark")


def marks(redis: Redis) -> list[str]:
    return [bytes(mark).decode() for mark in redis.lrange("marks", 0, -1)]


def test_a_paused_worker_ends_its_job_and_takes_no_other(
    client: Client, redis: Redis, start_worker: Start, eventually: Eventually
) -> None:
    start_worker("w1")
    submit(redis, "job-1", seconds=1.0)
    eventually(lambda: marks(redis) == ["start w1"])
    told = client.pause_worker("w1")
    assert told.told == "pause"
    submit(redis, "job-2")
    eventually(lambda: client.worker("w1").state == "paused")
    assert marks(redis) == ["start w1", "end w1"]
    assert client.queues()["cpu"] == 1
    assert "paused, so jobs wait" in client.cluster()["advice"][0]
    client.resume_worker("w1")
    eventually(lambda: marks(redis)[2:] == ["start w1", "end w1"])
    eventually(lambda: (client.worker("w1").state, client.worker("w1").told) == ("idle", ""))


def test_a_drained_worker_gives_its_job_to_another(
    client: Client, redis: Redis, start_worker: Start, eventually: Eventually
) -> None:
    for name in ("w1", "w2"):
        start_worker(name)
    submit(redis, "job-1", seconds=3.0)
    eventually(lambda: marks(redis))
    first = marks(redis)[0].removeprefix("start ")
    second = "w2" if first == "w1" else "w1"
    client.drain_worker(first)
    eventually(lambda: marks(redis) == [f"start {first}", f"start {second}"])
    client.resume_worker(first)
    eventually(lambda: marks(redis)[2:] == [f"end {second}"])
    submit(redis, "job-2")  # to a worker that gave its job back and works on
    client.pause_worker(second)
    submit(redis, "job-3", seconds=0.1)
    eventually(lambda: marks(redis)[-2:] == [f"start {first}", f"end {first}"])


def test_who_is_not_known_cannot_be_told(client: Client) -> None:
    for tell in (client.pause_worker, client.drain_worker, client.resume_worker):
        with pytest.raises(NotFound, match="no worker named nobody"):
            tell("nobody")


def test_how_a_worker_was_is_kept(client: Client, start_worker: Start, eventually: Eventually) -> None:
    start_worker("w1")
    eventually(lambda: len(client.worker_history("w1")) >= 3)
    moments = client.worker_history("w1")
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    assert all(moment.memory and moment.gpu is None for moment in moments)
    assert moments[-1].cpu is not None


def test_moments_of_gpus_and_of_what_is_none(redis: Redis) -> None:
    loads = (GpuLoad(0, 20.0, 100, 41.0), GpuLoad(1, 90.0, 200, 70.0), GpuLoad(2))
    machine = Capabilities("a cpu", 2, 2, 2, None, 1, 1)
    worker = Worker("w1", ("cpu",), machine, 0.0, 5.0, cpu_percent=50.0, gpu_loads=loads, job_id="job-1")
    for number in range(3):
        roster.announce(redis, dataclasses.replace(worker, heartbeat=5.0 + number), 10.0)
    redis.xadd(history.KEY.format("w1"), {"at": "no number"})
    redis.xadd(history.KEY.format("w1"), {"other": "x" * 10_000})
    assert history.read(redis, "w1")[0] == Moment(5.0, 50.0, None, 90.0, 300, 70.0, "job-1")
    assert len(history.read(redis, "w1")) == 3
    redis.set(history.KEY.format("w2"), "no stream")
    assert history.read(redis, "w2") == ()


def test_the_trials_of_a_worker_are_known(client: Client, db: Database, tmp_path: Path) -> None:  # noqa: ARG001
    from flowml.storage import jobs, trials
    from flowml.storage.records import Job, JobKind, JobSpec, JobState, TrialRecord, TrialState

    with db.write() as cursor:
        jobs.insert(cursor, Job("job-1", JobKind.TRAINING, JobState.RUNNING, JobSpec("y"), 0.0))
        for number, state in enumerate((TrialState.RUNNING, TrialState.COMPLETE, TrialState.RUNNING)):
            name = "w1" if number < 2 else "w2"
            trials.upsert(cursor, "job-1", TrialRecord(number, "ridge", {}, state, worker=name))
    assert {name: [t.number for t in now] for name, now in client.running_trials().items()} == {
        "w1": [0],
        "w2": [2],
    }


def test_what_a_worker_was_told_is_seen_before_its_next_heartbeat(client: Client, redis: Redis) -> None:
    machine = Capabilities("a cpu", 1, 1, 1, None, 2**30, 2**30)
    for name, job_id in (("w1", ""), ("w2", "job-1"), ("w3", "")):
        state = "busy" if job_id else "idle"
        roster.announce(redis, Worker(name, ("cpu",), machine, 0.0, 0.0, state=state, job_id=job_id), 600)
    for name in ("w1", "w2"):
        client.pause_worker(name)
    redis.set("flowml:worker:w3:told", b"\xff")
    assert {worker.name: (worker.state, worker.told) for worker in client.workers()} == {
        "w1": ("paused", "pause"),
        "w2": ("busy", "pause"),
        "w3": ("idle", ""),
    }
    assert client.worker("w1").state == "paused"
    client.resume_worker("w1")
    assert client.worker("w1").state == "idle"
