from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis

from flowml.runner import history, roster
from flowml.storage.records import Capabilities, Worker


@pytest.fixture
def worker() -> Worker:
    machine = Capabilities("a cpu", 2, 2, 2, None, 8 * 2**30, 4 * 2**30, hostname="here")
    return Worker("w1", ("priority", "cpu"), machine, started_at=1.0, heartbeat=2.0)


def test_a_worker_is_online_until_it_falls_silent(
    redis: Redis, worker: Worker, eventually: Callable[..., None]
) -> None:
    roster.announce(redis, worker, ttl_s=0.2)
    assert roster.online(redis) == (worker,)
    assert roster.find(redis, "w1") == worker
    eventually(lambda: roster.online(redis) == ())
    assert redis.smembers(roster.NAMES) == set()


def test_a_worker_that_leaves_is_gone_at_once(redis: Redis, worker: Worker) -> None:
    roster.announce(redis, worker, ttl_s=10)
    roster.leave(redis, "w1")
    assert roster.online(redis) == ()


def test_a_name_is_given_once(redis: Redis, worker: Worker) -> None:
    assert roster.claim(redis, worker, ttl_s=10)
    assert not roster.claim(redis, worker, ttl_s=10)


def test_what_somebody_else_wrote_hides_no_worker(redis: Redis, worker: Worker) -> None:
    redis.sadd(roster.NAMES, b"\xff")
    redis.set(roster.RECORD.format("\ufffd"), b"\xff")
    roster.announce(redis, worker, ttl_s=60)
    assert roster.online(redis) == (worker,)
    for key in (roster.NAMES, history.KEY.format(worker.name)):
        redis.delete(key)
        redis.set(key, "neither a set nor a stream")
    assert roster.online(redis) == ()
    for _ in range(2):  # makes room, then goes in
        roster.announce(redis, worker, ttl_s=60)
    assert roster.online(redis) == (worker,)
    assert len(history.read(redis, worker.name)) == 1


@pytest.mark.parametrize("host", ["a", "Anna's Laptop", "..", "/etc", "Jörgs-Mac.local", "x" * 300, ""])
def test_a_host_of_any_name_has_workers_with_a_name(host: str) -> None:
    assert roster.may_be_named(f"{roster.as_name(host)}-local-1")


@pytest.mark.parametrize("name", ["../x", "a b", "a/b", "-x", ".", "x" * 81, "a\n", "ü", ""])
def test_what_cannot_be_a_key_a_folder_and_a_part_of_an_address_is_no_name(name: str) -> None:
    assert not roster.may_be_named(name)
