"""Waiting for something that tells nobody when it happens."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(ready: Callable[[], bool], timeout_s: float, step_s: float = 0.02) -> bool:
    """Whether it became so within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step_s)
    return True
