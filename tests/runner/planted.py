"""A trial child in which some algorithms misbehave. Tests start it in place of the real one."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from flowml.automl import finish
from flowml.automl.algorithms import ALGORITHMS
from flowml.runner.child import main
from flowml.runner.closing import SLOWEST


def sleep(*_: Any) -> Any:
    time.sleep(3600)


def hoard(*_: Any) -> Any:
    held = []
    while True:
        held.append(np.ones(16_000_000))


def crash(*_: Any) -> Any:
    ctypes.string_at(0)


def fork(*_: Any) -> Any:
    """A grandchild holds the pipes while the child dies."""
    if os.fork():
        time.sleep(0.2)
        os.abort()
    time.sleep(3600)


def leave(*_: Any) -> Any:
    raise SystemExit(0)


def hang_up(*_: Any) -> Any:
    os.closerange(3, 1000)
    time.sleep(3600)


Fit = Callable[..., Any]
PLANTED: dict[str, dict[str, Fit]] = {
    "common": {"extra_trees": sleep, "random_forest": hoard, "xgboost": crash},
    "rare": {"extra_trees": fork, "random_forest": hang_up, "xgboost": leave},
    "hopeless": dict.fromkeys(ALGORITHMS, sleep) | {"dummy": leave},
}


def stumble(*arguments: Any, simple: bool, **more: Any) -> Any:
    """Only the simple finish works."""
    return FINISH(*arguments, simple=simple, **more) if simple else crash()


def freeze(*arguments: Any, simple: bool, **more: Any) -> Any:
    return FINISH(*arguments, simple=simple, **more) if simple else sleep()


def burden(*arguments: Any, simple: bool, pace: float, **more: Any) -> Any:
    """The simple finish works only where exports are believed to be as slow as can be."""
    return FINISH(*arguments, simple=simple, pace=pace, **more) if pace == SLOWEST else crash()


def stall(*arguments: Any, simple: bool, built: Fit = lambda _champion: None, **more: Any) -> Any:
    """The full finish writes its model and hangs before it is explained."""

    def hanging(champion: Any) -> None:
        built(champion)
        sleep()

    return FINISH(*arguments, simple=simple, built=hanging, **more)


FINISH = finish.finish
FINISHES: dict[str, Fit] = {
    "sound": FINISH,
    "stumble": stumble,
    "freeze": freeze,
    "stall": stall,
    "burden": burden,
}


if __name__ == "__main__":
    setattr(finish, "finish", FINISHES[sys.argv.pop(1)])  # noqa: B010  mypy knows it as a constant
    fits = PLANTED[sys.argv.pop(1)]
    ALGORITHMS.update({key: replace(ALGORITHMS[key], fit=fit) for key, fit in fits.items()})
    main()
