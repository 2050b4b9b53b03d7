"""What a user asks of a running job: one key per job, written by the client, watched by whoever runs it."""

from __future__ import annotations

import json
import threading
import time
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from flowml.storage.records import Control

KEY = "flowml:job:{}:control"
KEPT_S = 7 * 86_400


class Asked(NamedTuple):
    control: Control
    at: float


def ask(redis: Redis, job_id: str, control: Control) -> None:
    redis.set(KEY.format(job_id), json.dumps([control.value, time.time()]), ex=KEPT_S)


def asked(redis: Redis, job_id: str) -> Asked | None:
    try:
        text = redis.get(KEY.format(job_id))
        if text is None:
            return None
        control, at = json.loads(text)
        return Asked(Control(control), float(at))
    except (ValueError, TypeError, RecursionError, ResponseError):  # whatever somebody wrote there
        return None


def forget(redis: Redis, job_id: str) -> None:
    redis.delete(KEY.format(job_id))


class ControlWatch:
    """Looks at the key from a thread of its own, so that asking it never waits for Redis."""

    def __init__(self, redis: Redis, job_id: str, interval_s: float = 0.3) -> None:
        self._redis = redis
        self._job_id = job_id
        self._interval_s = interval_s
        self._asked: Asked | None = None
        self._looked = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, name=f"control of {job_id}", daemon=True)
        self._thread.start()

    def __call__(self) -> Control | None:
        """What is asked now; None: go on. While Redis is away, what was asked before."""
        return self._asked.control if self._asked else None

    def first(self, timeout_s: float = 2.0) -> Control | None:
        """As a call, but waits for the first look."""
        self._looked.wait(timeout_s)
        return self()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join(5.0)

    def _look(self) -> None:
        while True:
            try:
                self._asked = asked(self._redis, self._job_id)
                self._looked.set()
            except RedisError:
                self._stopped.wait(self._interval_s)  # it will be back, and the question with it
            if self._stopped.wait(self._interval_s):
                return
