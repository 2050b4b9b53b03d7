"""The heartbeat of a worker: a thread that tells every few seconds that it is there and how it is."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from flowml.runner import facts, roster, spool
from flowml.storage.records import Worker

LONGEST_INTERVAL_S = 5.0
REPLAY_S = 30.0

log = logging.getLogger(__name__)


class Pulse:
    """`look` makes the worker's record as it is now.

    With `patience_s` the process is told to stop (SIGTERM) once Redis was away for so long.
    """

    def __init__(
        self,
        redis: Redis,
        look: Callable[[], Worker],
        ttl_s: float,
        spool_folder: Path,
        patience_s: float | None = None,
    ) -> None:
        self._redis = redis
        self._look = look
        self._ttl_s = ttl_s
        self._spool = spool_folder
        self._patience_s = patience_s
        self._heard_at = time.monotonic()
        self._replayed_at = 0.0
        self._stopped, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Beat now: something has changed."""
        self._woken.set()

    def stop(self) -> None:
        self._stopped.set()
        self._woken.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        interval_s = min(LONGEST_INTERVAL_S, self._ttl_s / 4)
        while not self._stopped.is_set():
            try:
                self._beat()
            except RedisError as error:
                self._lose_patience(error)
            self._woken.wait(interval_s)
            self._woken.clear()

    def _beat(self) -> None:
        roster.announce(self._redis, self._look(), self._ttl_s)
        self._heard_at = time.monotonic()
        if time.monotonic() - self._replayed_at > REPLAY_S:
            spool.replay(self._spool, lambda lines: facts.send(self._redis, lines))
            self._replayed_at = time.monotonic()

    def _lose_patience(self, error: RedisError) -> None:
        silent_s = time.monotonic() - self._heard_at
        log.debug("Redis has been away for %.0f s: %s", silent_s, error)
        if self._patience_s is not None and silent_s > self._patience_s:
            log.error("Redis has been away for %.0f s; the worker gives up", silent_s)
            os.kill(os.getpid(), signal.SIGTERM)
