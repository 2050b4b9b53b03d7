"""The children of a lane: all slots, and one place to wait for whatever happens in them.

A child that outruns its time, or takes the crew over its memory, is killed here; to the lane that is one more
way for a child to be lost.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from dataclasses import dataclass

from flowml.runner.deaths import crashed, late, speechless, too_large
from flowml.runner.forkserver import FORK_SERVER
from flowml.runner.slot import CHILD, Doing, Slot
from flowml.storage.errors import TrialError
from flowml.storage.records import Json

DYING_S = 0.5  # between the end of a pipe and that of its process


@dataclass(frozen=True)
class Answered:
    slot: Slot
    answer: Json


@dataclass(frozen=True)
class Printed:
    slot: Slot
    line: str


@dataclass(frozen=True)
class Lost:
    slot: Slot
    error: TrialError
    doing: Doing  # when it was lost


Happening = Answered | Printed | Lost


class Crew:
    """`memory_limit` is for all children together: one may be large while the others are small."""

    def __init__(self, threads: int, memory_limit: int, command: tuple[str, ...] = CHILD) -> None:
        self.slots: list[Slot] = []
        self.threads = threads
        self.memory_limit = memory_limit
        self.command = command
        self._selector = selectors.DefaultSelector()

    def add(self) -> Slot:
        """One slot more, with a child that is starting."""
        slot = Slot(len(self.slots), self.command)
        self.slots.append(slot)
        self.restart(slot)
        return slot

    def restart(self, slot: Slot) -> None:
        self.kill(slot)
        slot.start(self.threads)
        for pipe in (slot.answers, slot.words):
            self._selector.register(pipe, selectors.EVENT_READ, slot)

    def kill(self, slot: Slot) -> None:
        if slot.doing is Doing.NOTHING:
            return
        for pipe in (slot.answers, slot.words):
            if pipe in self._selector.get_map():
                self._selector.unregister(pipe)
        slot.kill()

    def close(self) -> None:
        for slot in self.slots:
            slot.strike()
        for slot in self.slots:
            self.kill(slot)
        self._selector.close()

    def doing(self, *what: Doing) -> list[Slot]:
        return [slot for slot in self.slots if slot.doing in what]

    @property
    def pids(self) -> list[int]:
        """Of the children, and of what they are forked from."""
        server = FORK_SERVER.get()
        found = [*(slot.pid for slot in self.slots), server.pid if server else None]
        return [pid for pid in found if pid is not None]

    @property
    def has_room(self) -> bool:
        """Whether one child more, as large as the largest, would fit into the memory."""
        sizes = [slot.memory() for slot in self.slots]
        return sum(sizes) + max(sizes, default=0) < self.memory_limit

    def wait(self, timeout_s: float) -> list[Happening]:
        """What happens within `timeout_s`; returns as soon as a child said something.

        An answer is handed over before an end is: a child that answered, then died, is lost at the next call.
        """
        for slot in self.slots:
            self._leave_closed(slot)
        self._selector.select(max(0.0, timeout_s))
        happenings = [happening for slot in self.slots for happening in self._look(slot)]
        return happenings or list(self._too_large())

    def _leave_closed(self, slot: Slot) -> None:
        """A closed pipe always has something to say: its end."""
        if slot.doing is not Doing.NOTHING and slot.words.closed and slot.words in self._selector.get_map():
            self._selector.unregister(slot.words)

    def _look(self, slot: Slot) -> Iterator[Happening]:
        if slot.doing is Doing.NOTHING:
            return
        code = slot.ended()  # asked first: what it said before its end is still read below
        answers, printed = slot.read()
        yield from (Printed(slot, line) for line in printed)
        yield from (Answered(slot, answer) for answer in answers)
        if answers:
            return
        if code is None and slot.answers.closed:
            code = slot.end(DYING_S)
        if code is not None:
            yield self._lose(slot, crashed(code, slot.last_words))
        elif slot.answers.closed or slot.babbled:
            yield self._lose(slot, speechless(slot.babbled))
        elif time.monotonic() > slot.overdue_at:
            yield self._lose(slot, late(slot.limit_s))

    def _too_large(self) -> Iterator[Lost]:
        sizes = [slot.memory() for slot in self.slots]
        if sum(sizes) > self.memory_limit:
            largest = max(self.slots, key=lambda slot: sizes[slot.index])
            yield self._lose(largest, too_large(sum(sizes), self.memory_limit))

    def _lose(self, slot: Slot, error: TrialError) -> Lost:
        doing = slot.doing
        self.kill(slot)
        return Lost(slot, error, doing)
