"""Real workers, real jobs, real kills. Leases are three seconds long."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis import Redis

from flowml.runner import about, control, queue, roster, worker
from flowml.runner.connection import connect
from flowml.runner.embedded import EmbeddedRedis, find_server
from flowml.runner.enlisting import Terms, enlist, within
from flowml.runner.queue import FlowJob, Place
from flowml.runner.reaper import Reaper
from flowml.runner.settings import Settings
from flowml.runner.worker import run_worker
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, NotReady, SettingError
from flowml.storage.records import Control, FactKind, Json

Start = Callable[[str], Any]


@pytest.fixture
def reaper(redis: Redis, db: Database, datasets: Datasets, settings: Settings) -> Iterator[Reaper]:
    reaper = Reaper(redis, db, datasets, settings, interval_s=0.2, sure_s=1.0)
    reaper.start()
    yield reaper
    reaper.stop()


def submit(redis: Redis, job_id: str, seconds: float = 0.0, name: str = "cpu") -> None:
    queue.enqueue(redis, name, job_id, {"key": "marks", "seconds": seconds}, 600, "workbench.mark")


def marks(redis: Redis) -> list[str]:
    return [bytes(mark).decode() for mark in redis.lrange("marks", 0, -1)]


def status(redis: Redis, job_id: str) -> str:
    return str(FlowJob.fetch(job_id, connection=redis, serializer="json").get_status().value)


def children(pid: int) -> list[psutil.Process]:
    return list(psutil.Process(pid).children(recursive=True))


def test_a_worker_takes_jobs_and_tells_how_it_is(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    start_worker("w1")
    submit(redis, "job-1", seconds=1.0)
    eventually(lambda: (roster.find(redis, "w1") or None) and roster.find(redis, "w1").job_id == "job-1")
    busy = roster.find(redis, "w1")
    assert busy is not None
    assert (busy.state, busy.queues[0], busy.queues[-1]) == ("busy", "priority", "cpu")
    assert busy.memory_used
    assert busy.capabilities.cpus >= 1
    eventually(lambda: marks(redis) == ["start w1", "end w1"])
    eventually(lambda: roster.find(redis, "w1").jobs_done == 1)
    assert status(redis, "job-1") == "finished"
    assert queue.taken(redis, "cpu") == ()


def test_a_job_begins_soon_after_it_is_queued(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    start_worker("w1")
    waits = []
    for number in range(5):
        submit(redis, f"job-{number}")
        queued = time.monotonic()
        eventually(lambda number=number: len(marks(redis)) == 2 * (number + 1))
        waits.append(time.monotonic() - queued)
        time.sleep(0.1)
    assert sorted(waits)[2] < 0.6


def test_a_worker_leaves_a_studio_that_became_of_another_version(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    about.announce(redis, "")
    worker = start_worker("w1")
    submit(redis, "job-1")
    eventually(lambda: marks(redis) == ["start w1", "end w1"])
    redis.set(about.KEY, json.dumps({**json.loads(redis.get(about.KEY) or b""), "version": "9.9"}))
    submit(redis, "job-2")
    eventually(lambda: worker.process.poll() == 1)
    assert "pip install flowml-studio==9.9" in worker.log.read_text()
    assert roster.find(redis, "w1") is None
    assert redis.lrange("rq:queue:cpu", 0, -1) == [b"job-2"]


def test_jobs_that_are_not_allowed_fail_and_the_worker_goes_on(
    redis: Redis, start_worker: Start, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    start_worker("w1")
    planted = tmp_path / "planted"
    queue.queue(redis, "cpu").enqueue("os.system", f"touch {planted}", job_id="evil")
    redis.rpush("rq:queue:cpu", "unreadable")
    redis.hset("rq:job:unreadable", mapping={"data": b"\x80\x04K\x01.", "origin": "cpu", "status": "queued"})
    submit(redis, "job-1")
    eventually(lambda: marks(redis) == ["start w1", "end w1"])
    assert status(redis, "evil") == "failed"
    assert "not one of the functions" in queue.failure(redis, "evil")
    assert not planted.exists()


HOSTILE: dict[str, Any] = {
    "flowml:worker:liar": "{",
    "flowml:worker:void": json.dumps({"name": "void", "capabilities": None}),
    "flowml:worker:deep": "[" * 100_000,
    "flowml:worker:w1:told": ["drain"],
    "flowml:job:job-1:control": "cancel",
    "rq:suspended": "1",
    "rq:queue:priority": {"no": "list"},
    "flowml:limit:jobs": "many",
    "flowml:about": ["no", "text"],
}


def plant(redis: Redis, key: str, value: Any) -> None:
    redis.delete(key)
    if isinstance(value, list):
        redis.rpush(key, *value)
    elif isinstance(value, dict):
        redis.hset(key, mapping=value)
    else:
        redis.set(key, value)


def test_hostile_keys_stop_no_worker(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    alive = start_worker("w1").process
    for key, value in HOSTILE.items():
        plant(redis, key, value)
    redis.sadd("flowml:workers", "liar", "void", "deep")
    redis.publish("rq:pubsub:w1", json.dumps({"command": "shutdown"}))
    redis.publish("rq:pubsub:w1", pickle.dumps(os.getcwd))
    submit(redis, "job-1", seconds=1.0)
    eventually(lambda: marks(redis) == ["start w1", "end w1"])
    assert [online.name for online in roster.online(redis)] == ["w1"]
    assert alive.poll() is None


def test_a_job_that_raises_is_tried_again_and_then_fails(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    start_worker("w1")
    queue.enqueue(redis, "cpu", "job-1", {}, 60, "workbench.fail")
    eventually(lambda: status(redis, "job-1") == "failed")
    assert queue.failure(redis, "job-1") == "RuntimeError: on purpose"


def test_a_worker_promises_no_more_than_its_machine_has(redis: Redis, start_worker: Start) -> None:
    start_worker("w1")
    online = roster.find(redis, "w1")
    assert online is not None
    machine = dataclasses.replace(online.capabilities, cpus=2, ram_total=2**31)
    assert within(Terms(cores=99, memory_limit=2**40), machine) == Terms(cores=2, memory_limit=2**31)
    assert within(Terms(cores=1, memory_limit=2**30), machine) == Terms(cores=1, memory_limit=2**30)
    assert within(Terms(), machine) == Terms()


@pytest.mark.usefixtures("reaper")
def test_a_killed_worker_takes_its_work_horse_along_and_the_job_runs_elsewhere(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    both = {"w1": start_worker("w1"), "w2": start_worker("w2")}
    submit(redis, "job-1", seconds=2.0)
    eventually(lambda: marks(redis))
    first = both.pop(marks(redis)[0].removeprefix("start "))
    (second,) = both.values()
    (horse,) = children(first.process.pid)
    first.kill()
    eventually(lambda: not horse.is_running() or horse.status() == psutil.STATUS_ZOMBIE)
    seen = [f"start {first.name}", f"start {second.name}", f"end {second.name}"]
    eventually(lambda: marks(redis) == seen)
    assert second.process.poll() is None


@pytest.mark.usefixtures("reaper")
def test_a_worker_that_comes_back_under_its_name_has_its_job_run_at_once(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    first = start_worker("w1")
    submit(redis, "job-1", seconds=1.0)
    eventually(lambda: marks(redis) == ["start w1"])
    first.kill()
    start_worker("w1")
    eventually(lambda: marks(redis) == ["start w1", "start w1", "end w1"])


def test_a_worker_that_is_told_to_stop_gives_its_job_back(
    redis: Redis,
    start_worker: Start,
    told: Callable[[FactKind], list[Json]],
    eventually: Callable[..., None],
) -> None:
    first = start_worker("w1")
    submit(redis, "job-1", seconds=60.0)
    eventually(lambda: marks(redis) == ["start w1"])
    family = children(first.process.pid)
    assert first.stop(30) == 0  # long before the job would have ended
    assert [process for process in family if process.is_running()] == []
    job = FlowJob.fetch("job-1", connection=redis, serializer="json")
    assert (job.get_status().value, job.worker_name) == ("queued", None)
    assert job.retries_left == queue.LOST_MACHINES
    assert queue.place(redis, "cpu", "job-1") is Place.WAITING
    assert {"id": "job-1", "changes": {"state": "queued", "worker": ""}, "no_trial_runs": True} in told(
        FactKind.JOB
    )
    assert [body["state"] for body in told(FactKind.WORKER)] == ["idle", "offline"]
    assert roster.online(redis) == ()


def test_an_idle_worker_stops_at_once(start_worker: Start) -> None:
    idle = start_worker("w1")
    assert idle.stop(20) == 0


def test_a_work_horse_that_is_killed_is_replaced(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    process = start_worker("w1").process
    submit(redis, "job-1", seconds=1.0)
    eventually(lambda: marks(redis) == ["start w1"])
    (horse,) = children(process.pid)
    os.kill(horse.pid, signal.SIGKILL)
    eventually(lambda: marks(redis) == ["start w1", "start w1", "end w1"])


def test_a_work_horse_that_does_not_obey_a_cancellation_is_killed(
    redis: Redis,
    start_worker: Start,
    told: Callable[[FactKind], list[Json]],
    eventually: Callable[..., None],
) -> None:
    start_worker("w1")
    submit(redis, "job-1", seconds=60.0)
    eventually(lambda: marks(redis) == ["start w1"])
    asked_long_ago = f'["{Control.CANCEL.value}", {time.time() - 60}]'
    redis.set(control.KEY.format("job-1"), asked_long_ago)
    eventually(lambda: status(redis, "job-1") == "stopped")
    eventually(lambda: [body["changes"]["state"] for body in told(FactKind.JOB)] == ["cancelled"])


def test_a_worker_outlives_a_restart_of_redis(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    alive = start_worker("w1").process
    submit(redis, "job-1", seconds=2.0)
    eventually(lambda: marks(redis) == ["start w1"])
    os.kill(int(redis.info("server")["process_id"]), signal.SIGKILL)  # its guard starts it again
    eventually(lambda: marks(redis) == ["start w1", "end w1"])
    eventually(lambda: status(redis, "job-1") == "finished")
    submit(redis, "job-2")
    eventually(lambda: marks(redis)[2:] == ["start w1", "end w1"])
    assert alive.poll() is None


def test_a_lease_that_somebody_else_took_is_given_up(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    process = start_worker("w1").process
    submit(redis, "job-1", seconds=60.0)
    eventually(lambda: marks(redis) == ["start w1"])
    (horse,) = children(process.pid)
    redis.hset("rq:job:job-1", "worker_name", "w2")
    for key in redis.keys("rq:execution:job-1:*"):
        redis.delete(key)
    eventually(lambda: not horse.is_running() or horse.status() == psutil.STATUS_ZOMBIE)
    assert status(redis, "job-1") == "started"
    assert process.poll() is None


def test_a_lease_that_ran_out_is_taken_back_where_nobody_took_the_job(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    start_worker("w1")
    submit(redis, "job-1", seconds=3.0)
    eventually(lambda: marks(redis) == ["start w1"])
    (key,) = redis.keys("rq:execution:job-1:*")
    redis.delete(key)
    eventually(lambda: redis.exists(key))
    eventually(lambda: marks(redis) == ["start w1", "end w1"])


def test_two_workers_share_two_jobs(
    redis: Redis, start_worker: Start, eventually: Callable[..., None]
) -> None:
    start_worker("w1")
    start_worker("w2")
    assert [online.name for online in roster.online(redis)] == ["w1", "w2"]
    submit(redis, "job-1", seconds=1.0)
    submit(redis, "job-2", seconds=1.0)
    eventually(lambda: len(marks(redis)) == 4)
    assert set(marks(redis)) == {"start w1", "end w1", "start w2", "end w2"}


def test_a_name_in_use_is_refused(settings: Settings, start_worker: Start) -> None:
    start_worker("w1")
    with pytest.raises(Conflict, match="A worker named w1 is online already on"):
        run_worker(settings, terms=Terms("w1"))


def test_a_name_is_taken_over_from_a_process_that_is_gone_here_alone(
    redis: Redis, settings: Settings, start_worker: Start
) -> None:
    """A container may share our host name; its process ids are others."""
    start_worker("w1").kill()
    gone = roster.find(redis, "w1")
    assert gone is not None
    roster.announce(redis, dataclasses.replace(gone, place="of another folder"), 600)
    with pytest.raises(Conflict, match="online already"):
        enlist(redis, settings, Terms("w1"), gone.capabilities)
    roster.announce(redis, gone, 600)
    taken = enlist(redis, settings, Terms("w1", ("cpu", "priority", "cpu")), gone.capabilities)
    assert (taken.name, taken.queues) == ("w1", ("cpu", "priority"))
    with pytest.raises(SettingError, match="cannot be named"):
        enlist(redis, settings, Terms("../w1"), gone.capabilities)


def test_an_unknown_queue_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingError, match="no queue 'quantum'"):
        run_worker(settings, terms=Terms("w1", queues=("quantum",)))


def test_a_redis_that_is_not_there_is_told_so(home: Path) -> None:
    with pytest.raises(NotReady, match="does not answer"):
        run_worker(Settings(home=home, redis_url="redis://127.0.0.1:1/0"))
    with pytest.raises(NotReady, match="no studio has run"):
        worker.redis_url_of(Settings(home=home))


@pytest.mark.parametrize("seconds", [0.0, 600.0], ids=["idle", "busy"])
def test_a_worker_that_is_told_to_stop_does_not_wait_for_a_redis_that_is_away(
    home: Path,
    settings: Settings,
    tmp_path: Path,
    worker_process: Callable[..., Any],
    eventually: Callable[..., None],
    seconds: float,
) -> None:
    server = EmbeddedRedis(home, find_server())
    redis = connect(server.start().url)
    alive = worker_process("w1", dataclasses.replace(settings, home=home, redis_url=""), tmp_path / "w1.log")
    eventually(lambda: redis.exists("rq:worker:w1"))
    if seconds:
        submit(redis, "job-1", seconds)
        eventually(lambda: marks(redis) == ["start w1"])
    family = children(alive.process.pid)
    server.stop()
    redis.close()
    try:
        alive.stop(60)
    finally:
        alive.kill()
    _, left = psutil.wait_procs(family, 30)
    assert left == []
    assert "Traceback" not in alive.log.read_text()


def test_a_local_worker_gives_up_when_redis_stays_away(
    home: Path, tmp_path: Path, worker_process: type[Any], eventually: Callable[..., None]
) -> None:
    server = EmbeddedRedis(tmp_path / "own", find_server())
    url = server.start().url
    settings = Settings(home=home, redis_url=url, lease=3.0, worker_ttl=2.0)
    worker = worker_process("w1", settings, tmp_path / "w1.log", "3")
    redis = connect(url)
    eventually(lambda: redis.exists("rq:worker:w1"))
    submit(redis, "job-1", seconds=60.0)
    eventually(lambda: marks(redis) == ["start w1"])
    family = children(worker.process.pid)
    server.stop()
    assert worker.process.wait(30) == 0, worker.log.read_text()
    assert [process for process in family if process.is_running()] == []
    assert len(list(settings.spool.glob("*.jsonl"))) == 1
    redis.close()


def test_the_parent_process_is_light() -> None:
    heavy = "{'duckdb', 'polars', 'numpy', 'optuna', 'sklearn', 'lightgbm', 'xgboost', 'onnxruntime'}"
    code = (
        f"import sys, flowml.runner.worker\nassert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
