"""Slows down who guesses: after some failures each further try must wait twice as long as the one before."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from flowml.storage.errors import TooMany

FREE = 5  # failures without a wait
LONGEST_S = 900.0
FORGOTTEN_S = 3600.0
MOST_KEYS = 20_000


@dataclass
class _Record:
    failures: int = 0
    at: float = 0.0


class Throttle:
    """Counts failures by key, such as a name or an address; a success forgets them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._turn = threading.Lock()

    def check(self, *keys: str) -> None:
        """Raises TooMany where one of them has to wait."""
        with self._turn:
            wait_s = max((self._wait(key) for key in keys), default=0.0)
        if wait_s > 0:
            error = TooMany(
                "Too many failed logins.", f"Try again in {wait_s:.0f} s." if wait_s >= 1 else "Try again."
            )
            error.wait_s = wait_s
            raise error

    def failed(self, *keys: str) -> None:
        with self._turn:
            for key in keys:
                record = self._records.setdefault(key, _Record())
                record.failures += 1
                record.at = self._clock()
                self._records.move_to_end(key)
            while len(self._records) > MOST_KEYS:
                self._records.popitem(last=False)

    def passed(self, *keys: str) -> None:
        with self._turn:
            for key in keys:
                self._records.pop(key, None)

    def _wait(self, key: str) -> float:
        record = self._records.get(key)
        if record is None:
            return 0.0
        since = self._clock() - record.at
        if since > FORGOTTEN_S:
            del self._records[key]
            return 0.0
        if record.failures < FREE:
            return 0.0
        return max(0.0, min(LONGEST_S, 2.0 ** (record.failures - FREE)) - since)
