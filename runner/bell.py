"""The bell of the idle workers: a stream that gets an entry with each job that begins to wait.

To wait for it costs nothing, where looking again and again keeps a core from its sleep. Whoever misses it
looks a moment later anyway: jobs are in the queues, never here.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

BELL = "flowml:bell"


def ring(redis: Redis) -> None:
    """Never fails for what somebody else put there: the job waits all the same."""
    with contextlib.suppress(ResponseError):
        redis.xadd(BELL, {"rung": "1"}, maxlen=1, approximate=False)


class Listening:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._heard: bytes | str = "0-0"

    def wait(self, at_most_s: float) -> None:
        """Until it rings; at once if it rang since the last call, or ever before the first."""
        try:
            rung: Any = self._redis.xread({BELL: self._heard}, block=max(1, round(at_most_s * 1000)))
        except ResponseError:  # somebody put something else there
            time.sleep(at_most_s)
            return
        if rung:
            self._heard = rung[0][1][-1][0]
