"""A buffer between those who have something to tell and a Redis that may be away for a while."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from redis.exceptions import RedisError

T = TypeVar("T")
BATCH = 500
LONGEST_PAUSE_S = 2.0

log = logging.getLogger(__name__)


class Outbox(Generic[T]):
    """Sends in batches from a thread of its own; `put` never waits.

    What Redis does not take is kept and tried again. With a `limit` the oldest are dropped; `away` hears once
    of each item that could not be sent.
    """

    def __init__(
        self,
        send: Callable[[list[T]], None],
        name: str,
        interval_s: float = 0.1,
        limit: int | None = None,
        away: Callable[[list[T]], None] | None = None,
    ) -> None:
        self._send = send
        self._away = away
        self._interval_s = interval_s
        self._limit = limit
        self._waiting: deque[T] = deque()
        self._told = 0  # so many of the waiting, from the oldest, `away` has heard of
        self._sending = False
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        with self._changed:
            self._waiting.append(item)
            self._drop_oldest()
            self._changed.notify_all()

    @property
    def empty(self) -> bool:
        """Whether nothing waits; what is being sent right now does not count."""
        return not self._waiting

    def flush(self, timeout_s: float) -> bool:
        """Whether all that was put has been sent; waits for that at most so long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._sending, timeout_s)

    def close(self, timeout_s: float) -> list[T]:
        """Ends the thread; what could not be sent comes back, oldest first."""
        self.flush(timeout_s)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout_s + LONGEST_PAUSE_S)
        return list(self._waiting)

    def _work(self) -> None:
        pause = self._interval_s
        while self._wait(pause):
            batch = self._take()
            try:
                self._send(batch)
            except RedisError as error:
                if pause == self._interval_s:
                    log.warning(
                        "Redis does not take what %s has to tell; it is kept: %s", self._thread.name, error
                    )
                self._keep(batch)
                pause = min(LONGEST_PAUSE_S, pause * 2)
            else:
                self._sent(batch)
                pause = self._interval_s

    def _wait(self, seconds: float) -> bool:
        """Waits for something to send and a little longer, so that it goes in batches. False at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._changed.wait_for(lambda: self._closed, seconds)
            return not self._closed

    def _take(self) -> list[T]:
        with self._changed:
            self._sending = True
            return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _keep(self, batch: list[T]) -> None:
        with self._changed:
            self._waiting.extendleft(reversed(batch))
            self._drop_oldest()
            self._sending = False
            unheard = list(self._waiting)[self._told :]
            self._told = len(self._waiting)
        if self._away is not None and unheard:
            self._away(unheard)

    def _sent(self, batch: list[T]) -> None:
        with self._changed:
            self._told = max(0, self._told - len(batch))
            self._sending = False
            self._changed.notify_all()

    def _drop_oldest(self) -> None:
        while self._limit is not None and len(self._waiting) > self._limit:
            self._waiting.popleft()
            self._told = max(0, self._told - 1)
