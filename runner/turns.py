"""In which order a worker looks at its queues, so that none of them waits for ever."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.runner.tiers import HELP_QUEUE

FIRST = "priority"
IN_A_ROW = 3  # jobs of the first queue before another one has a turn


class Turns:
    """`priority` first, then whichever was served longest ago, help last. At first in the order of TIERS."""

    def __init__(self, names: Sequence[str]) -> None:
        self._others = [name for name in names if name not in (FIRST, HELP_QUEUE)]
        self._first = [FIRST] if FIRST in names else []
        self._last = [HELP_QUEUE] if HELP_QUEUE in names else []
        self._row = 0

    def served(self, name: str) -> None:
        if name == FIRST:
            self._row += 1
        elif name in self._others:
            self._row = 0
            self._others.remove(name)
            self._others.append(name)

    @property
    def order(self) -> list[str]:
        if self._row >= IN_A_ROW:
            return [*self._others, *self._first, *self._last]
        return [*self._first, *self._others, *self._last]
