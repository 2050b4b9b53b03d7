"""One study on two real workers: shared, with one of them killed, yielded for another job, and led anew."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis import Redis

from flowml.runner import queue
from flowml.runner.client import Client
from flowml.runner.forkserver import CHILD_NAME, NAME
from flowml.runner.preloading import LOADED
from flowml.runner.reaper import Reaper
from flowml.runner.recorder import Recorder
from flowml.runner.settings import Settings
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.records import ENDED, Dataset, Job, JobSpec, JobState, TrialState

Start = Callable[..., Any]
Eventually = Callable[..., None]


@pytest.fixture
def client(db: Database, datasets: Datasets, redis: Redis, settings: Settings) -> Iterator[Client]:
    recorder = Recorder(redis, db)
    reaper = Reaper(redis, db, datasets, settings, interval_s=0.2, sure_s=1.0)
    recorder.start()
    reaper.start()
    yield Client(db, datasets, LocalArtifacts(settings.artifacts), redis, settings)
    reaper.stop()
    recorder.stop()


def study(client: Client, dataset: Dataset, trials: int = 30, **more: Any) -> Job:
    options = {"budget_s": 90.0, "algorithms": ("logistic",), "jobs": 1, **more}
    return client.submit(JobSpec("y", dataset_id=dataset.id, max_trials=trials, **options))


def by_worker(client: Client, job: Job, state: TrialState = TrialState.COMPLETE) -> Counter[str]:
    return Counter(trial.worker for trial in client.trials(job.id) if trial.state is state)


def check_whole(client: Client, job: Job, state: JobState = JobState.FINISHED) -> None:
    """Every trial once and ended, a model, and nothing left of the study in Redis."""
    ended = client.job(job.id)
    assert (ended.state, ended.cause) == (state, "")
    rows = client.trials(job.id)
    numbers = [row.number for row in rows]
    assert len(numbers) == len(set(numbers))
    if state is JobState.FINISHED:  # one that is stopped leaves out what was decided on and never begun
        assert numbers == list(range(len(rows)))
    assert {row.state for row in rows} <= {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED}
    assert ended.receipt is not None
    assert sum(ended.receipt.trials.values()) == len(rows)
    assert len(client.models(job.id)) == 1


def test_two_workers_share_one_study(
    client: Client, dataset: Dataset, start_worker: Start, redis: Redis, eventually: Eventually
) -> None:
    start_worker("w1")
    start_worker("w2")
    job = study(client, dataset, 300)
    eventually(lambda: client.job(job.id).state in ENDED, 80)
    check_whole(client, job)
    shared = by_worker(client, job)
    assert set(shared) == {"w1", "w2"}, shared
    eventually(lambda: redis.keys("flowml:study:*") == [])


def horse_and_children(worker: Any) -> tuple[psutil.Process, list[psutil.Process]]:
    (horse,) = psutil.Process(worker.process.pid).children()
    return horse, [each for each in horse.children() if each.name() != NAME]


def begun_by(client: Client, job: Job, name: str) -> bool:
    return any(trial.worker == name for trial in client.trials(job.id))


def shared(
    client: Client, dataset: Dataset, start_worker: Start, eventually: Eventually, **of_w2: Any
) -> tuple[Job, Any, Any]:
    """A long study that w1 leads and of which w2, which came later, has begun a trial; and both workers."""
    lead = start_worker("w1")
    job = study(client, dataset, 100_000)
    eventually(lambda: client.job(job.id).worker == "w1", 20)
    helper = start_worker("w2", **of_w2)
    eventually(lambda: begun_by(client, job, "w2"), 40)
    return job, lead, helper


def at_work(client: Client, job: Job) -> list[int]:
    return [t.number for t in client.trials(job.id) if (t.worker, t.state) == ("w2", "running")]


def freeze_at_work(client: Client, job: Job, helper: Any) -> int:
    """Freezes the lanes of `helper` (w2) while one is at a trial, which will not end by itself: which."""
    lanes = horse_and_children(helper)[1]
    for _ in range(50):
        for lane in lanes:
            lane.suspend()
        time.sleep(0.3)  # what the lanes said before is heard
        if running := at_work(client, job):
            time.sleep(2.0)  # on a busy machine too
            if running[0] in at_work(client, job):
                return running[0]
        for lane in lanes:  # caught between two trials
            lane.resume()
        time.sleep(0.02)
    raise AssertionError("w2 was never seen at a trial")


def test_the_trials_of_a_killed_helper_run_again(
    client: Client, dataset: Dataset, start_worker: Start, eventually: Eventually
) -> None:
    start_worker("w1")
    job = study(client, dataset, 300)
    eventually(lambda: client.job(job.id).worker == "w1")
    helper = start_worker("w2")
    eventually(lambda: begun_by(client, job, "w2"), 30)
    freeze_at_work(client, job, helper)
    helper.kill()
    eventually(lambda: by_worker(client, job, TrialState.RUNNING)["w2"] == 0)
    eventually(lambda: client.job(job.id).state in ENDED, 80)
    check_whole(client, job)


def test_a_killed_lead_has_a_successor_that_takes_what_its_helper_did(
    client: Client, dataset: Dataset, start_worker: Start, eventually: Eventually, redis: Redis
) -> None:
    lead = start_worker("w1")
    job = study(client, dataset, 400, budget_s=40.0)
    eventually(lambda: client.job(job.id).worker == "w1")
    start_worker("w2")
    eventually(lambda: by_worker(client, job)["w2"] > 2, 30)
    before = by_worker(client, job)
    lead.kill()
    start_worker("w3")
    eventually(lambda: client.job(job.id).worker in ("w2", "w3"), 30)
    # one machine was lost, but the job gets further on the next
    eventually(lambda: queue.retries_left(redis, job.id) == queue.LOST_MACHINES)
    eventually(lambda: client.job(job.id).state in ENDED, 80)
    check_whole(client, job)
    after = by_worker(client, job)
    assert after["w1"] >= before["w1"]
    assert sum(after.values()) > sum(before.values())


def test_a_helper_on_another_machine_sends_what_its_trials_leave(
    client: Client,
    dataset: Dataset,
    start_worker: Start,
    settings: Settings,
    tmp_path: Path,
    eventually: Eventually,
) -> None:
    elsewhere = {"home": tmp_path / "elsewhere", "artifacts_folder": settings.artifacts}
    job, lead, _ = shared(client, dataset, start_worker, eventually, **elsewhere)
    eventually(lambda: by_worker(client, job)["w2"] > 2, 40)
    assert not any((settings.work / job.id).glob("help-*"))
    lead.kill()  # and its machine with it: what it had must be found elsewhere
    before = by_worker(client, job)
    (settings.work / job.id).rename(tmp_path / "gone")
    eventually(lambda: client.job(job.id).worker == "w2", 30)
    client.stop(job.id)
    eventually(lambda: client.job(job.id).state in ENDED, 60)
    check_whole(client, job, JobState.STOPPED)
    assert by_worker(client, job) >= Counter({"w2": before["w2"]})
    kept = {model.onnx.sha256 for model in client.models(job.id)} | {dataset.sha256}
    assert {path.name for path in settings.artifacts.glob("??/*")} == kept
    # what the dead machine sent at its last moment, and nobody heard of, is swept later
    eventually(lambda: len(list((settings.artifacts / "parcels").glob("*/*"))) <= 1)


def test_a_helper_makes_room_for_a_job_that_waits(
    client: Client, dataset: Dataset, start_worker: Start, eventually: Eventually
) -> None:
    job, *_ = shared(client, dataset, start_worker, eventually)
    other = study(client, dataset, 1)
    eventually(lambda: client.job(other.id).worker == "w2", 40)  # before the first would end by itself
    eventually(lambda: client.job(other.id).state in ENDED, 40)
    client.cancel(job.id)
    eventually(lambda: client.job(job.id).state in ENDED, 25)
    assert client.job(other.id).state is JobState.FINISHED


def test_a_cancelled_study_ends_its_helpers(
    client: Client, dataset: Dataset, start_worker: Start, eventually: Eventually
) -> None:
    job, _, helper = shared(client, dataset, start_worker, eventually)
    children = horse_and_children(helper)[1]
    assert children
    client.cancel(job.id)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    eventually(lambda: client.job(job.id).state is JobState.CANCELLED)


def test_a_worker_that_had_time_to_load_its_libraries_forks_its_children(
    client: Client, dataset: Dataset, start_worker: Start, eventually: Eventually
) -> None:
    worker = start_worker("w1", load_ahead=0.1)
    eventually(lambda: LOADED in worker.log.read_text(), 60)
    for ended in (JobState.FINISHED, None):
        job = study(client, dataset, 100_000 if ended is None else 4)
        eventually(lambda job=job: begun_by(client, job, "w1"), 20)
        horse, children = horse_and_children(worker)
        assert {child.name() for child in children} == {CHILD_NAME}
        if ended is not None:
            eventually(lambda job=job: client.job(job.id).state is JobState.FINISHED, 60)
            check_whole(client, job)
    family = [horse, *horse.children(recursive=True)]
    worker.process.kill()
    assert psutil.wait_procs(family, timeout=30)[1] == []


def test_a_worker_that_loads_its_libraries_stops_when_it_is_told_to(start_worker: Start) -> None:
    worker = start_worker("w1", load_ahead=0.001)
    time.sleep(0.6)
    assert LOADED not in worker.log.read_text()
    assert worker.stop(20) == 0


def test_hostile_content_of_a_study_stops_neither_helper_nor_lead(
    client: Client,
    dataset: Dataset,
    start_worker: Start,
    redis: Redis,
    eventually: Eventually,
    tmp_path: Path,
) -> None:
    job, _, helper = shared(client, dataset, start_worker, eventually)
    key = f"flowml:study:{job.id}"
    candidate = {
        "number": "../../outside",
        "algorithm": "os.system",
        "params": {"touch": str(tmp_path / "planted")},
    }
    order = {"number": "../../outside", "claim": "c", "kind": "cpu", "candidate": candidate}
    for text in (b"\x80\x04K\x01.", b"[" * 100_000, json.dumps(order).encode(), b"{}"):
        redis.xadd(f"{key}:orders:cpu", {"order": text})
        redis.xadd(f"{key}:answers", {"answer": text})
        redis.hset(f"{key}:lanes", "evil", text)
        redis.rpush(f"{key}:journal", text)
        redis.set(f"{key}:lead", text)
    for name in ("w1", "w2"):
        before = by_worker(client, job)
        eventually(lambda name=name, before=before: by_worker(client, job)[name] > before[name] + 2, 40)
    assert helper.process.poll() is None
    client.stop(job.id)
    eventually(lambda: client.job(job.id).state in ENDED, 60)
    check_whole(client, job, JobState.STOPPED)
    there = {name for _, folders, files in os.walk(tmp_path) for name in (*folders, *files)}  # it goes on
    assert not there & {"outside", "planted"}
    eventually(lambda: redis.keys("flowml:study:*") == [])


def test_a_helper_that_is_told_to_stop_hands_its_trials_back(
    client: Client, dataset: Dataset, start_worker: Start, eventually: Eventually
) -> None:
    patient = partial(start_worker, lease=60.0)  # only what the helper hands back comes back in time
    job, _, helper = shared(client, dataset, patient, eventually)
    number = freeze_at_work(client, job, helper)
    assert helper.stop() == 0
    eventually(lambda: client.trials(job.id)[number].worker == "w1", 40)
    assert [online.name for online in client.workers() if online.state != "offline"] == ["w1"]
    client.stop(job.id)
    eventually(lambda: client.job(job.id).state in ENDED, 40)
    check_whole(client, job, JobState.STOPPED)


def test_a_job_may_keep_to_one_machine(
    client: Client, dataset: Dataset, start_worker: Start, redis: Redis, eventually: Eventually
) -> None:
    start_worker("w1")
    start_worker("w2")
    job = study(client, dataset, 100_000, machines=1)
    eventually(lambda: sum(by_worker(client, job).values()) > 30, 40)
    assert set(by_worker(client, job)) == {client.job(job.id).worker}
    assert queue.invitations(redis, job.id) == ()
    client.cancel(job.id)
    eventually(lambda: client.job(job.id).state in ENDED)
