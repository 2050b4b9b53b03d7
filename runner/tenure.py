"""One studio per Redis: two would each record half of the facts."""

from __future__ import annotations

import json
import os
import socket

from redis import Redis
from redis.exceptions import RedisError

from flowml.runner.routine import Routine
from flowml.storage.errors import Conflict

KEY = "flowml:studio"
TTL_S = 30
RENEW_S = 8.0


class Tenure:
    """Held by the studio of one data folder (`home`, an id), and by its next one after a crash."""

    def __init__(self, redis: Redis, home: str) -> None:
        self._redis = redis
        self._home = home
        self._routine = Routine("tenure", self._renew)

    def take(self) -> None:
        """Raises Conflict while the studio of another data folder has it."""
        if not self._redis.set(KEY, self._record(), nx=True, ex=TTL_S):
            holder = self._holder()
            if holder.get("home") not in (None, self._home):
                raise Conflict(
                    f"This Redis serves another studio, on {holder['host']} (process {holder['pid']}).",
                    "Stop that one, or give this one a Redis of its own (another server, or another /number "
                    "at the end of FLOWML_REDIS_URL).",
                )
        self._renew()
        self._routine.start()

    def release(self) -> None:
        self._routine.stop()
        try:
            if self._holder().get("home") == self._home:
                self._redis.delete(KEY)
        except RedisError:
            return  # it expires by itself

    def _renew(self) -> float:
        self._redis.set(KEY, self._record(), ex=TTL_S)
        return RENEW_S

    def _holder(self) -> dict[str, object]:
        text = self._redis.get(KEY)
        return {} if text is None else dict(json.loads(text))

    def _record(self) -> str:
        return json.dumps({"home": self._home, "host": socket.gethostname(), "pid": os.getpid()})
