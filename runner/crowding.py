"""How crowded a machine is: how much longer things take than they compute, as the system counts it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


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
