"""Slows down who guesses: after some failures each further try must wait twice as long as the one before.

Tries at the same moment count like tries in a row: no more of them are looked at than may still fail.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flowml.storage.errors import NotSignedIn, TooMany

FREE = 5  # failures without a wait
LONGEST_S = 900.0
DOUBLED = 10  # times; more would be longer than that
FORGOTTEN_S = 3600.0
PATIENCE_S = 10.0  # for a try whose turn does not come
MOST_KEYS = 20_000


@dataclass
class _Record:
    failures: int = 0
    at: float = 0.0
    busy: int = 0  # tries that are being looked at


class Throttle:
    """Counts failures by key, such as a name or an address; a success forgets them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._turn = threading.Condition()

    @contextmanager
    def attempt(self, *keys: str) -> Iterator[None]:
        """The block looks at one try, and raises NotSignedIn where that fails.

        Raises TooMany where one of the keys has to wait. While as many tries as may still fail are looked at,
        others wait for how these end.
        """
        self._begin(keys)
        try:
            yield
        except NotSignedIn:
            self._end(keys, self._count_failure)
            raise
        except BaseException:
            self._end(keys, lambda _: None)
            raise
        self._end(keys, _forget)

    def _begin(self, keys: tuple[str, ...]) -> None:
        with self._turn:
            if not self._turn.wait_for(lambda: self._may_begin(keys), PATIENCE_S):
                raise _too_many(1.0)
            for key in keys:
                record = self._records.setdefault(key, _Record())
                record.busy += 1
                self._records.move_to_end(key)
            while len(self._records) > MOST_KEYS:
                self._records.popitem(last=False)

    def _end(self, keys: tuple[str, ...], change: Callable[[_Record], None]) -> None:
        with self._turn:
            for key in keys:
                record = self._records.setdefault(key, _Record())
                record.busy = max(0, record.busy - 1)
                change(record)
                if not record.failures and not record.busy:
                    del self._records[key]
            self._turn.notify_all()

    def _count_failure(self, record: _Record) -> None:
        record.failures += 1
        record.at = self._clock()

    def _may_begin(self, keys: tuple[str, ...]) -> bool:
        """False while others have to end first. Raises TooMany."""
        wait_s = max(map(self._wait, keys), default=0.0)
        if wait_s > 0:
            raise _too_many(wait_s)
        known = [self._records.get(key, _Record()) for key in keys]
        return all(record.busy < max(1, FREE - record.failures) for record in known)

    def _wait(self, key: str) -> float:
        record = self._records.get(key)
        if record is None:
            return 0.0
        since = self._clock() - record.at
        if since > FORGOTTEN_S:
            record.failures = 0
        if record.failures < FREE:
            return 0.0
        return max(0.0, min(LONGEST_S, 2.0 ** min(record.failures - FREE, DOUBLED)) - since)


def _forget(record: _Record) -> None:
    record.failures = 0


def _too_many(wait_s: float) -> TooMany:
    error = TooMany(
        "Too many failed logins.", f"Try again in {wait_s:.0f} s." if wait_s >= 1 else "Try again."
    )
    error.wait_s = wait_s
    return error
