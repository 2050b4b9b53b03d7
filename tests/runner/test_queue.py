from __future__ import annotations

import pickle
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Callback
from rq.exceptions import DequeueTimeout, StopRequested

from flowml.runner import queue, taking
from flowml.runner.queue import ALLOWED, TRAIN, FlowJob, FlowQueue, Place
from flowml.runner.tiers import QUEUES
from flowml.storage.errors import NotAllowed


def take(redis: Redis, *names: str) -> str | None:
    """The id of the next job, as a worker of these queues would take it."""
    queues = [queue.queue(redis, name) for name in names]
    found = FlowQueue.dequeue_any(queues, None, connection=redis, job_class=FlowJob, serializer="json")
    return None if found is None else str(found[0].id)


def add(redis: Redis, job_id: str, name: str = "cpu", **arguments: Any) -> None:
    assert queue.enqueue(redis, name, job_id, arguments, 60)


def test_every_allowed_function_exists(redis: Redis) -> None:
    for name in ALLOWED:
        job = FlowJob.create(name, serializer="json", connection=redis)
        assert callable(job.func)


@pytest.mark.parametrize("name", ["os.system", "flowml.runner.jobs.connect", "subprocess.run", ""])
def test_other_functions_are_refused(redis: Redis, name: str) -> None:
    job = FlowJob.create("placeholder", serializer="json", connection=redis)
    job._func_name = name
    with pytest.raises(NotAllowed, match="not one of the functions"):
        job.func  # noqa: B018


def test_a_job_waits_with_its_arguments(redis: Redis) -> None:
    add(redis, "job-1", x=1, text="ü")
    job = FlowJob.fetch("job-1", connection=redis, serializer="json")
    assert (job.func_name, job.kwargs, job.timeout) == (TRAIN, {"x": 1, "text": "ü"}, 60)
    assert job.retries_left == queue.LOST_MACHINES
    assert queue.depths(redis) == {name: int(name == "cpu") for name in QUEUES}


def test_an_id_is_queued_once(redis: Redis) -> None:
    add(redis, "job-1")
    assert not queue.enqueue(redis, "cpu", "job-1", {}, 60)
    assert queue.depths(redis)["cpu"] == 1


def test_queues_are_served_in_the_worker_s_order(redis: Redis) -> None:
    for job_id, name in (("c1", "cpu"), ("g1", "gpu"), ("p1", "priority"), ("c2", "cpu")):
        add(redis, job_id, name)
    assert [take(redis, "priority", "cpu") for _ in range(4)] == ["p1", "c1", "c2", None]


def test_a_taken_job_is_kept_until_there_is_a_lease(redis: Redis) -> None:
    add(redis, "job-1")
    assert queue.place(redis, "cpu", "job-1") is Place.WAITING
    assert take(redis, "cpu") == "job-1"
    assert queue.taken(redis, "cpu") == ("job-1",)
    assert queue.place(redis, "cpu", "job-1") is Place.TAKEN
    assert queue.put_back(redis, "cpu", "job-1")
    assert not queue.put_back(redis, "cpu", "job-1")
    assert queue.place(redis, "cpu", "job-1") is Place.WAITING


def test_a_waiting_job_can_be_withdrawn_and_a_taken_one_not(redis: Redis) -> None:
    add(redis, "job-1")
    add(redis, "job-2")
    assert take(redis, "cpu") == "job-1"
    assert not queue.withdraw(redis, "cpu", "job-1")
    assert queue.withdraw(redis, "cpu", "job-2")
    assert queue.place(redis, "cpu", "job-2") is Place.UNKNOWN


def test_no_more_jobs_run_than_allowed(redis: Redis) -> None:
    add(redis, "job-1")
    queue.set_limit(redis, 1)
    redis.zadd(taking.running_key("gpu"), {"job-0:execution": 1e12})
    assert take(redis, "cpu") is None
    queue.set_limit(redis, 2)
    assert take(redis, "cpu") == "job-1"
    queue.set_limit(redis, 0)


def test_waiting_for_a_job_ends_in_time(redis: Redis) -> None:
    with pytest.raises(DequeueTimeout):
        FlowQueue.dequeue_any([queue.queue(redis, "cpu")], 1, connection=redis, serializer="json")


class Exploit:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def test_hostile_entries_are_set_aside_and_nothing_runs(redis: Redis, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    payloads: dict[bytes, Any] = {
        b"pickled": pickle.dumps((TRAIN, None, (Exploit(planted),), {})),
        b"not-json": b"{",
        b"not-a-call": b"5",
        b"with:colon": b"[]",
        b"\xff\xfe": b"[]",
    }
    for job_id, payload in payloads.items():
        fields = {"data": payload, "origin": "cpu", "status": "queued", "created_at": "2026-01-01T00:00:00Z"}
        redis.hset(b"rq:job:" + job_id, mapping={**fields})
        redis.rpush("rq:queue:cpu", job_id)
    redis.hset("rq:job:odd-status", mapping={"data": b"[]", "status": "weird"})
    redis.rpush("rq:queue:cpu", "odd-status", "never-existed")
    whole = {"data": b"[]", "origin": "cpu", "status": "queued", "created_at": "2026-01-01T00:00:00Z"}
    oversized = {"data": b"\0" * (queue.LARGEST_JOB + 1)}, {"meta": b"[" * 20_000}, {"other": b"0" * 2**26}
    for number, field in enumerate(oversized):
        redis.hset(f"rq:job:large-{number}", mapping={**whole, **field})
    redis.set("rq:job:no-hash", "x")
    redis.rpush("rq:queue:cpu", "large-0", "large-1", "large-2", "no-hash")
    add(redis, "job-1")
    assert take(redis, "cpu") == "job-1"
    assert not planted.exists()
    assert queue.taken(redis, "cpu") == ("job-1",)
    large = {b"large-0", b"large-1", b"large-2", b"no-hash"}
    parked = {*payloads, b"odd-status", *large} - {b"with:colon"}
    assert set(redis.lrange("rq:queue:cpu:poison", 0, -1)) == parked


@pytest.mark.parametrize("field", ["data", "exc_info"])
def test_a_job_that_unpacks_to_more_than_a_job_may_be_is_set_aside(
    redis: Redis, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LARGEST_JOB", 2**20)
    packed = zlib.compress(b"[" + b" " * 2**24 + b"]")
    fields = {"data": b"[]", "origin": "cpu", "status": "queued", "created_at": "2026-01-01T00:00:00Z"}
    redis.hset("rq:job:bomb", mapping={**fields, field: packed})
    redis.rpush("rq:queue:cpu", "bomb")
    add(redis, "job-1")
    tracemalloc.start()
    try:
        assert take(redis, "cpu") == "job-1"
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()
    assert redis.lrange("rq:queue:cpu:poison", 0, -1) == [b"bomb"]


def test_callbacks_webhooks_and_repeats_are_ignored(redis: Redis) -> None:
    queue.queue(redis, "cpu").enqueue(TRAIN, job_id="job-1", on_success=Callback("os.system"))
    redis.hset("rq:job:job-1", mapping={"webhooks": '[{"url": "http://example.invalid"}]', "repeats_left": 3})
    job = FlowJob.fetch("job-1", connection=redis, serializer="json")
    assert (job.success_callback, job.webhooks, job.repeats_left) == (None, [], None)


def test_a_job_that_got_further_may_lose_as_many_machines_again(redis: Redis) -> None:
    add(redis, "job-1")
    redis.hset("rq:job:job-1", "retries_left", 0)
    for job_id in ("job-1", "job-2"):
        queue.went_on(redis, job_id)
    assert queue.retries_left(redis, "job-1") == queue.LOST_MACHINES
    assert not redis.exists("rq:job:job-2")


def test_places_of_jobs_that_ended_or_hang_in_the_air(redis: Redis) -> None:
    add(redis, "job-1")
    redis.delete("rq:queue:cpu")
    assert queue.place(redis, "cpu", "job-1") is Place.ADRIFT
    redis.hset("rq:job:job-1", "status", "failed")
    assert queue.place(redis, "cpu", "job-1") is Place.ENDED
    queue.forget(redis, "job-1")
    assert queue.place(redis, "cpu", "job-1") is Place.UNKNOWN


def test_a_wish_to_stop_that_comes_while_looking_is_heard(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stop(*_: object) -> None:
        raise StopRequested

    monkeypatch.setattr(taking.Taker, "take", stop)
    with pytest.raises(StopRequested):
        take(redis, "cpu")
    assert "cannot be read" not in caplog.text


def test_a_wish_to_stop_that_comes_while_a_job_is_opened_leaves_it_for_the_reaper(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> int:
        raise StopRequested

    add(redis, "job-1")
    monkeypatch.setattr(queue, "_size", stop)
    with pytest.raises(StopRequested):
        take(redis, "cpu")
    assert queue.taken(redis, "cpu") == ("job-1",)
    assert not redis.exists("rq:queue:cpu:poison")
