"""How often one may ask: each caller has so many requests a second, and may save up a little."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flowml.storage.errors import TooMany

SAVED_S = 2.0  # seconds' worth of requests that a caller who was silent may send at once
MOST_CALLERS = 10_000


class Limits:
    """`rate` requests a second for each caller; 0: no limit."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # caller -> (requests left, when)
        self._turn = threading.Lock()

    def take(self, caller: str) -> None:
        """Counts one request. Raises TooMany where the caller has none left."""
        if not self._rate:
            return
        now, most = self._clock(), self._rate * SAVED_S
        with self._turn:
            left, at = self._left.get(caller, (most, now))
            left = min(most, left + (now - at) * self._rate) - 1
            self._left[caller] = (max(left, 0.0) if left < 0 else left, now)
            self._left.move_to_end(caller)
            if len(self._left) > MOST_CALLERS:
                self._left.popitem(last=False)
        if left < 0:
            error = TooMany(
                f"More than {self._rate:g} requests a second.", "Ask less often, or raise FLOWML_RATE_LIMIT."
            )
            error.wait_s = (1 - left) / self._rate
            raise error
