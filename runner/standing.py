"""Trial children that stay after a training in this process, so that the next one need not start them.

A cross-validation fits many small models one after the other, and a child takes longer to load its libraries
than such a fit. What nobody wants for a while is ended: a child holds memory.
"""

from __future__ import annotations

import atexit
import threading

from flowml.runner.crew import Crew
from flowml.runner.slot import CHILD, START_S, Doing

KEPT_S = 60.0


class Standing(Crew):
    """`close`, once at the end of a study, leaves idle children in the waiting room and ends the others."""

    def close(self) -> None:
        for slot in self.slots:
            if slot.doing is not Doing.IDLE:
                self.kill(slot)
        self.slots = self.doing(Doing.IDLE)
        for index, slot in enumerate(self.slots):
            slot.index = index
        ROOM.leave(self)

    def again(self) -> None:
        """Children that wait say once more that they are ready; those that died meanwhile are left out."""
        for slot in self.slots:
            if slot.ended() is not None:
                self.kill(slot)
        self.slots = self.doing(Doing.IDLE)
        for index, slot in enumerate(self.slots):
            slot.index = index
            slot.now(Doing.STARTING, START_S)
            slot.send("again")

    def end(self) -> None:
        super().close()


class Room:
    """Where one crew waits; others that come meanwhile are ended."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting: Standing | None = None
        self._clock: threading.Timer | None = None

    def take(self, threads: int, memory_limit: int, command: tuple[str, ...] = CHILD) -> Standing:
        """The crew that waits, if its children were started alike; else a new one without children."""
        crew = self._out()
        if crew is not None and (crew.threads, crew.command) == (threads, command):
            crew.memory_limit = memory_limit
            crew.again()
            return crew
        if crew is not None:
            crew.end()
        return Standing(threads, memory_limit, command)

    def leave(self, crew: Standing) -> None:
        earlier = self._out()
        if earlier is not None:
            earlier.end()
        if not crew.slots:
            crew.end()
            return
        with self._turn:
            self._waiting = crew
            self._clock = threading.Timer(KEPT_S, self.empty)
            self._clock.daemon = True
            self._clock.start()

    def empty(self) -> None:
        crew = self._out()
        if crew is not None:
            crew.end()

    def _out(self) -> Standing | None:
        with self._turn:
            crew, self._waiting = self._waiting, None
            if self._clock is not None:
                self._clock.cancel()
                self._clock = None
        return crew


ROOM = Room()
atexit.register(ROOM.empty)
