"""What an idle worker loads ahead, so that a job that comes needs only forks of its process.

It runs nothing: no library has a pool of threads afterwards, none has opened a GPU. (Polars has one idle
thread from its first moment, which clears away spilled files and which a fork does without.)
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flowml.runner.slot import THREAD_VARIABLES

# In the order in which a job wants them; each is loaded in one go, during which no job is taken.
WANTED = (
    "polars",
    "flowml.runner.jobs",
    "flowml.runner.child",
    "flowml.automl.prepared",
    "flowml.automl.evaluate",
    "flowml.storage.drift",
    "optuna",
    "flowml.automl.search",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.ensemble",
    "lightgbm",
    "xgboost",
    "catboost",
)
ALLOCATORS = ("_RJEM_MALLOC_CONF", "JE_ARROW_MALLOC_CONF")  # of polars and of pyarrow
QUIET = dict.fromkeys(THREAD_VARIABLES, "1") | dict.fromkeys(ALLOCATORS, "background_thread:false")
LOADED = "The libraries are loaded"
WHY_NOT = "On this system a process that has loaded model libraries is not safe to fork"

log = logging.getLogger(__name__)


class Preloading:
    """`done` once all is loaded; then trial children may be forked."""

    def __init__(self, idle_s: float, wanted: Sequence[str] = WANTED, platform: str = sys.platform) -> None:
        """It begins after `idle_s` without a job, so that jobs that wait go first; with 0, never."""
        self.done = False
        self.loading = False  # in the midst of it: no signal may raise now, a library would swallow that
        self._idle_s = idle_s
        self._left = deque(wanted)
        self._possible = platform == "linux" and idle_s > 0
        self._from = 0.0
        self.wait()
        if platform != "linux" and idle_s > 0:
            log.info("%s: each job starts its trial children anew, which takes seconds.", WHY_NOT)

    def wait(self) -> None:
        """A job was there."""
        self._from = time.monotonic() + self._idle_s

    def step(self) -> bool:
        """Loads one of them; whether more are left.

        Called in the main thread, which also forks: never in the midst of a load.
        """
        if self.done or not self._possible:
            return False
        if time.monotonic() < self._from:
            return True
        if self._left:
            self.loading = True
            load(self._left.popleft())
            self.loading = False
            return True
        gc.collect()
        gc.freeze()  # what is there by now stays, and forks share it
        self.done = True
        log.info("%s; its next jobs fork their trial children.", LOADED)
        return False


def load(name: str, unwanted: Sequence[str] = ()) -> None:
    """Imports a library without the threads that it would start, and without what is unwanted of others."""
    try:
        with _without_threads(), without(unwanted):
            importlib.import_module(name)
    except Exception as error:  # whoever needs it will say so
        log.warning("%s cannot be loaded: %r", name, error)


@contextmanager
def without(names: Sequence[str]) -> Iterator[None]:
    """Libraries that use others where they are installed are loaded as if these were not."""
    hidden: dict[str, Any] = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def _without_threads() -> Iterator[None]:
    """Libraries that would start threads as they are loaded do not."""
    before = dict(os.environ)
    os.environ.update(QUIET)
    try:
        yield
    finally:
        for name in QUIET:
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]
