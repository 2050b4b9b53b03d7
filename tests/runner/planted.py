"""A trial child in which some algorithms misbehave. Tests start it in place of the real one."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from flowml.automl import finish
from flowml.automl.algorithms import ALGORITHMS
from flowml.runner.child import main


def sleep(*_: Any) -> Any:
    time.sleep(3600)


def hoard(*_: Any) -> Any:
    held = []
    while True:
        held.append(np.ones(16_000_000))


def crash(*_: Any) -> Any:
    ctypes.string_at(0)


PLANTED: dict[str, Callable[..., Any]] = {"extra_trees": sleep, "random_forest": hoard, "xgboost": crash}


def stumble(*arguments: Any, **options: Any) -> Any:
    """The first finish fails, the simple one does not."""
    if not options.get("simple"):
        crash()
    return finish.real(*arguments, **options)  # type: ignore[attr-defined]


if __name__ == "__main__":
    if sys.argv.pop(1) == "stumble":
        finish.real = finish.finish  # type: ignore[attr-defined]
        finish.finish = stumble
    ALGORITHMS.update({key: replace(ALGORITHMS[key], fit=fit) for key, fit in PLANTED.items()})
    main()
