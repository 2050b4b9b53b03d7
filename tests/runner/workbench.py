"""A worker for tests, run as a program: beside the real functions it allows the simple ones below."""

from __future__ import annotations

import sys
import time
from typing import ClassVar

from flowml.runner.connection import connect
from flowml.runner.enlisting import Terms
from flowml.runner.queue import ALLOWED, FlowJob, FlowQueue
from flowml.runner.rq_worker import FlowWorker
from flowml.runner.settings import read_settings
from flowml.runner.worker import run_worker
from flowml.runner.workplace import WORKPLACE


def mark(key: str, seconds: float = 0.0) -> str:
    """Writes its worker's name to a list when it starts, and once more when it ends."""
    place = WORKPLACE.get()
    redis = connect(place.redis_url)
    redis.rpush(key, f"start {place.worker}")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.05)
    redis.rpush(key, f"end {place.worker}")
    return "done"


def fail() -> None:
    raise RuntimeError("on purpose")


class WorkbenchJob(FlowJob):
    allowed: ClassVar[frozenset[str]] = ALLOWED | {"workbench.mark", "workbench.fail"}


class WorkbenchQueue(FlowQueue):
    job_class = WorkbenchJob


class WorkbenchWorker(FlowWorker):
    job_class = WorkbenchJob
    queue_class = WorkbenchQueue


if __name__ == "__main__":
    patience_s = float(sys.argv[2]) if len(sys.argv) > 2 else None
    sys.exit(
        run_worker(read_settings(), terms=Terms(sys.argv[1], patience_s=patience_s), kind=WorkbenchWorker)
    )
