"""How crowded a machine is: how much longer things take than they compute, as the system counts it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

SUMS, TRIES = 20_000, 3
SUMS_S = 0.9e-3  # that these sums take on an ordinary core
ORDINARY = 1.4  # times slower than that is nothing to reckon with
OWN_CROWD = 1.5  # and so much the processes of one training wait for each other on a machine of their own
LEAST_S = 0.1  # computed, that tell of a crowd
MEMORY_S = 15.0  # after which what was seen counts a third


class Turn(NamedTuple):
    """Seconds that a process has computed, and that it has waited for a core to do so."""

    ran_s: float
    waited_s: float


def turn_of(pid: int) -> Turn | None:
    """Of the main thread of a process since it began. None where it is gone or the system does not count."""
    try:
        ran, waited, *_ = Path(f"/proc/{pid}/schedstat").read_text().split()
    except (OSError, ValueError):
        return None
    return Turn(int(ran) / 1e9, int(waited) / 1e9)


def slowness() -> float:
    """How many times longer a core takes for a few sums than an ordinary one, whoever else is at work."""
    return min(_sums_s() for _ in range(TRIES)) / SUMS_S


def _sums_s() -> float:
    began, total = time.thread_time(), 0
    for number in range(SUMS):
        total += number * number % 7
    return time.thread_time() - began


class Crowding:
    """The pace of a job: how many times longer things take here than on an ordinary machine of their own.

    Measured on what the job itself has done of late, not on what else the machine does.
    """

    def __init__(self, slow: float | None = None) -> None:
        """`slow`: how slow its cores are; measured unless given."""
        self._slow = slowness() if slow is None else slow
        self._known: dict[int, Turn] = {}
        self._ran_s = self._waited_s = 0.0  # of late
        self._at = time.monotonic()

    def look(self, pids: Iterable[int]) -> None:
        """At processes of the job, each of them from its begin on."""
        now = time.monotonic()
        fading, self._at = math.exp((self._at - now) / MEMORY_S), now
        turns = {pid: turn for pid in pids if (turn := turn_of(pid)) is not None}
        news = [(turn, self._known.get(pid, Turn(0.0, 0.0))) for pid, turn in turns.items()]
        self._ran_s = fading * self._ran_s + sum(max(0.0, new.ran_s - old.ran_s) for new, old in news)
        self._waited_s = fading * self._waited_s + sum(
            max(0.0, new.waited_s - old.waited_s) for new, old in news
        )
        self._known |= turns

    @property
    def pace(self) -> float:
        """1: as on an ordinary machine that nobody else uses."""
        crowd = 1.0 + self._waited_s / self._ran_s if self._ran_s > LEAST_S else 1.0
        return _beyond(crowd, OWN_CROWD) * _beyond(self._slow, ORDINARY)


def _beyond(times: float, ordinary: float) -> float:
    """Of what is ordinary, which the time that is kept anyhow has room for."""
    return max(1.0, times / ordinary)
