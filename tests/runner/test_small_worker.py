"""A real worker in a real cgroup of one core and two gigabytes: it says so, and is given what fits."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flowml.runner import queue, roster
from flowml.runner.needs import CPU, kind_of, serves
from flowml.runner.queue import Place
from flowml.runner.tiers import memory_for_trials

GIB = 2**30
LIMITS = {
    "cpu": {"cpu.cfs_period_us": 100_000, "cpu.cfs_quota_us": 100_000},
    "memory": {"memory.limit_in_bytes": 2 * GIB},
}


@pytest.fixture
def small() -> Iterator[None]:
    """Processes that this thread starts are in that cgroup."""
    groups = {
        Path("/sys/fs/cgroup", name, f"flowml-{os.getpid()}"): limits for name, limits in LIMITS.items()
    }
    thread = str(threading.get_native_id())
    try:
        for folder, limits in groups.items():
            folder.mkdir()
            for name, value in limits.items():
                folder.joinpath(name).write_text(str(value))
            folder.joinpath("tasks").write_text(thread)
    except OSError:
        _leave(groups, thread)
        pytest.skip("no cgroups of version 1 that we may make")
    yield
    _leave(groups, thread)


def _leave(groups: Any, thread: str) -> None:
    for folder in groups:
        if folder.is_dir():
            folder.parent.joinpath("tasks").write_text(thread)
            for process in folder.joinpath("tasks").read_text().split():
                folder.parent.joinpath("tasks").write_text(process)
            folder.rmdir()


@pytest.mark.usefixtures("small")
def test_a_small_worker_says_so_and_is_given_what_fits(
    redis: Redis, start_worker: Callable[[str], Any], eventually: Callable[..., None]
) -> None:
    start_worker("small")
    eventually(lambda: roster.find(redis, "small"))
    worker = roster.find(redis, "small")
    assert worker is not None
    assert (worker.capabilities.cpus, worker.capabilities.ram_total) == (1, 2 * GIB)
    assert worker.capabilities.limits == "cgroup v1"
    memory = memory_for_trials(worker)
    assert memory < 2 * GIB
    lane = serves(memory, worker.capabilities)
    assert lane.kind(kind_of(CPU, 0.5 * GIB))
    assert not lane.kind(kind_of(CPU, 3 * GIB))

    arguments = {"key": "marks"}
    for name, needed in (("large", 3 * GIB), ("fits", GIB // 2)):
        queue.enqueue(redis, "cpu", name, arguments, 60, "workbench.mark", {"memory": needed})
    eventually(lambda: redis.lrange("marks", 0, -1) == [b"start small", b"end small"], 30)
    assert queue.place(redis, "cpu", "fits") in (Place.ENDED, Place.RUNNING)
    assert queue.place(redis, "cpu", "large") is Place.WAITING
