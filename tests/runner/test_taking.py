"""Which job a worker takes: what it needs, whose turn it is, and which machine goes first."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from flowml.runner import queue, roster, tending
from flowml.runner.submission import needs_of
from flowml.runner.taking import HEAD_START_S, Taker, yields
from flowml.runner.tending import Told
from flowml.runner.tiers import GIB, HELP_QUEUE, lowest, why_unserved
from flowml.runner.turns import Turns
from flowml.storage.records import Capabilities, Job, JobKind, JobSpec, JobState, Worker


def add(redis: Redis, job_id: str, name: str = "cpu", needs: dict[str, Any] | None = None) -> None:
    assert queue.enqueue(redis, name, job_id, {}, 60, needs=needs)


def taken(redis: Redis, taker: Taker, *names: str) -> bytes | None:
    found = taker.take(redis, names)
    return None if found is None else found.job


def worker(
    name: str, host: str, state: str = "idle", queues: tuple[str, ...] = ("priority", "cpu")
) -> Worker:
    machine = Capabilities("a cpu", 2, 2, 2, None, 8 * GIB, 8 * GIB, hostname=host)
    return Worker(name, queues, machine, 0.0, time.time(), state)


def test_a_job_that_needs_more_memory_waits_and_others_go_first(redis: Redis) -> None:
    add(redis, "large", needs={"memory": 8 * GIB})
    add(redis, "small")
    small, large = Taker("w1", 2 * GIB), Taker("w2", 16 * GIB)
    assert taken(redis, small, "cpu") == b"small"
    assert taken(redis, small, "cpu") is None
    assert queue.next_job(redis, ("cpu",), small) == ""
    assert queue.next_job(redis, ("cpu",), large) == "large"
    assert taken(redis, large, "cpu") == b"large"
    assert queue.taken(redis, "cpu") == ("small", "large")


def test_a_job_in_front_of_all_still_needs_its_gpu(redis: Redis) -> None:
    asked = Job("job-1", JobKind.TRAINING, JobState.QUEUED, JobSpec("y", vram=7 * GIB, memory=GIB), 0.0)
    assert needs_of(asked) == {"tier": "gpu.vram8", "memory": GIB}
    add(redis, "job-1", "priority", needs_of(asked))
    assert taken(redis, Taker("w1"), "priority", "cpu") is None
    assert taken(redis, Taker("w2"), "priority", "gpu.vram8", "gpu", "cpu") == b"job-1"


@pytest.mark.parametrize(
    ("vram", "tier"),
    [
        (None, "cpu"),
        (0, "gpu"),
        (4 * GIB, "gpu"),
        (5 * GIB, "gpu.vram6"),
        (13 * GIB, "gpu.vram24"),
        (99 * GIB, ""),
    ],
)
def test_a_job_goes_to_the_lowest_tier_that_serves_it(vram: int | None, tier: str) -> None:
    assert lowest(vram) == tier


def test_why_a_job_is_not_taken() -> None:
    workers = [worker("w1", "a")]
    assert why_unserved("cpu", None, workers) == ""
    assert why_unserved("gpu.vram8", None, workers) == "a GPU with 8 GB"
    assert why_unserved("cpu", 64 * GIB, workers) == "a worker with 64.0 GiB for trials"


def test_a_worker_that_was_told_to_pause_takes_nothing(redis: Redis) -> None:
    add(redis, "job-1")
    tending.tell(redis, "w1", Told.PAUSE)
    assert taken(redis, Taker("w1"), "cpu") is None
    tending.release(redis, "w1")
    assert taken(redis, Taker("w1"), "cpu") == b"job-1"
    redis.set(tending.KEY.format("w1"), b"\x80nonsense")
    assert tending.told(redis, "w1") is None


def test_queues_have_their_turns() -> None:
    """Nothing waits for ever, whatever comes into another queue."""
    turns = Turns(("priority", "gpu", "cpu", HELP_QUEUE))
    assert turns.order == ["priority", "gpu", "cpu", HELP_QUEUE]
    served = []
    for _ in range(9):  # jobs wait in all three
        served.append(turns.order[0])
        turns.served(served[-1])
    assert served == ["priority"] * 3 + ["gpu"] + ["priority"] * 3 + ["cpu"] + ["priority"]
    turns = Turns(("gpu", "cpu"))
    assert [_serve(turns) for _ in range(4)] == ["gpu", "cpu", "gpu", "cpu"]
    turns.served(HELP_QUEUE)


def _serve(turns: Turns) -> str:
    first = turns.order[0]
    turns.served(first)
    return first


def test_free_machines_go_before_those_that_work() -> None:
    mine, beside = worker("a1", "a"), worker("a2", "a", "busy")
    assert yields([mine, beside, worker("b1", "b")], "a1", "cpu")
    for others in (
        [replace(beside, state="idle"), worker("b1", "b")],  # our machine is free too
        [beside],  # there is no other
        [beside, worker("b1", "b", "busy")],
        [beside, worker("b1", "b", "paused")],
        [beside, worker("b1", "b"), worker("b2", "b", "busy")],
        [beside, worker("b1", "b", queues=("llm",))],
    ):
        assert not yields([mine, *others], "a1", "cpu"), others
    assert not yields([beside], "unknown", "cpu")


def test_a_job_that_no_free_machine_takes_is_taken_a_moment_later(redis: Redis) -> None:
    for each in (worker("a1", "a"), worker("a2", "a", "busy"), worker("b1", "b")):
        roster.announce(redis, each, 10.0)
    add(redis, "job-1")
    busier, free = Taker("a1"), Taker("b1")
    assert taken(redis, busier, "cpu") is None
    assert taken(redis, free, "cpu") == b"job-1"
    add(redis, "job-2")
    began = time.monotonic()
    while taken(redis, busier, "cpu") is None:
        time.sleep(0.05)
    assert HEAD_START_S < time.monotonic() - began < HEAD_START_S + 20
