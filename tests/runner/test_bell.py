from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from redis import Redis

from flowml.runner import queue
from flowml.runner.bell import BELL, Listening
from flowml.runner.queue import FlowJob, FlowQueue
from tests.runner.test_queue import add

LONG_S = 300.0


def invite(redis: Redis) -> None:
    queue.invite(redis, "job-1", {})


def put_back(redis: Redis) -> None:
    add(redis, "job-1")
    FlowQueue.dequeue_any([queue.queue(redis, "cpu")], None, redis, FlowJob, "json")
    redis.delete(BELL)
    assert queue.put_back(redis, "cpu", "job-1")


@pytest.mark.parametrize("what", [lambda redis: add(redis, "job-1"), invite, put_back])
def test_it_rings_for_all_that_begins_to_wait(redis: Redis, what: Callable[[Redis], None]) -> None:
    listening = Listening(redis)
    ringing = threading.Timer(0.2, what, (redis,))
    ringing.start()
    began = time.monotonic()
    listening.wait(LONG_S)
    ringing.join()
    assert time.monotonic() - began < LONG_S / 10


def test_what_rang_between_two_calls_is_heard(redis: Redis) -> None:
    listening = Listening(redis)
    for number in range(3):
        add(redis, f"job-{number}")
        add(redis, f"more-{number}")
        listening.wait(LONG_S)
    began = time.monotonic()
    listening.wait(0.2)
    assert time.monotonic() - began > 0.19
    assert redis.xlen(BELL) == 1


def test_a_bell_that_somebody_broke_is_waited_out(redis: Redis) -> None:
    redis.set(BELL, "broken")
    began = time.monotonic()
    Listening(redis).wait(0.2)
    assert time.monotonic() - began > 0.19
    add(redis, "job-1")


def test_a_waiting_worker_hears_of_a_job(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LOOK_S", LONG_S)
    adding = threading.Timer(0.3, add, (redis, "job-1"))
    adding.start()
    began = time.monotonic()
    found = FlowQueue.dequeue_any([queue.queue(redis, "cpu")], 400, redis, FlowJob, "json")
    adding.join()
    assert found is not None
    assert found[0].id == "job-1"
    assert time.monotonic() - began < LONG_S / 10
