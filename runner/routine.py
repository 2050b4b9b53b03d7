"""A thread that does one thing again and again, and outlives whatever goes wrong in it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from redis.exceptions import RedisError

TROUBLE_PAUSE_S = 1.0

log = logging.getLogger(__name__)


class Routine:
    """Calls `step`, waits as many seconds as it answers, and so on. Trouble is logged once until it ends."""

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self._name = name
        self._step = step
        self._troubled = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Returns when the step that runs is over; to stop twice, or what was never started, is no error."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._stopped.wait(self._try())

    def _try(self) -> float:
        try:
            pause_s = self._step()
        except RedisError as away:
            self._trouble(f"Redis does not answer: {away}")
        except Exception as error:  # the next round may well succeed, and nothing is lost by trying
            self._trouble(f"{type(error).__name__}: {error}", unknown=True)
        else:
            self._troubled = False
            return pause_s
        return TROUBLE_PAUSE_S

    def _trouble(self, cause: str, unknown: bool = False) -> None:
        if not self._troubled:
            log.error("The %s tries again: %s", self._name, cause, exc_info=unknown)
        self._troubled = True
