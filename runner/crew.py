"""The children of a lane: all slots, and one place to wait for whatever happens in them."""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from dataclasses import dataclass

from flowml.runner.slot import CHILD, Death, Doing, Slot
from flowml.storage.records import Json


@dataclass(frozen=True)
class Answered:
    slot: Slot
    answer: Json


@dataclass(frozen=True)
class Printed:
    slot: Slot
    line: str


@dataclass(frozen=True)
class Died:
    slot: Slot
    death: Death
    doing: Doing  # when it died


Happening = Answered | Printed | Died


class Crew:
    def __init__(self, threads: int, command: tuple[str, ...] = CHILD) -> None:
        self.slots: list[Slot] = []
        self._threads = threads
        self._command = command
        self._selector = selectors.DefaultSelector()

    def add(self) -> Slot:
        """One slot more, with a child that is starting."""
        slot = Slot(len(self.slots), self._command)
        self.slots.append(slot)
        self.restart(slot)
        return slot

    def restart(self, slot: Slot) -> None:
        self.kill(slot)
        slot.start(self._threads)
        for pipe in (slot.answers, slot.words):
            self._selector.register(pipe, selectors.EVENT_READ, slot)

    def kill(self, slot: Slot) -> None:
        if slot.doing is Doing.NOTHING:
            return
        for pipe in (slot.answers, slot.words):
            self._selector.unregister(pipe)
        slot.kill()

    def close(self) -> None:
        for slot in self.slots:
            self.kill(slot)
        self._selector.close()

    def wait(self, timeout_s: float) -> list[Happening]:
        """What happens within `timeout_s`; returns as soon as something did."""
        self._selector.select(max(0.0, timeout_s))
        return [happening for slot in self.slots for happening in self._look(slot)]

    def _look(self, slot: Slot) -> Iterator[Happening]:
        if slot.doing is Doing.NOTHING:
            return
        doing, ended = (
            slot.doing,
            slot.ended(),
        )  # asked first: what it said before its end is still read below
        answers, printed = slot.read()
        yield from (Printed(slot, line) for line in printed)
        yield from (Answered(slot, answer) for answer in answers)
        if ended is not None:
            self.kill(slot)
            yield Died(slot, ended, doing)

    def doing(self, *what: Doing) -> list[Slot]:
        return [slot for slot in self.slots if slot.doing in what]

    def memory(self) -> int:
        """Resident bytes of all children together."""
        return sum(slot.memory() for slot in self.slots)
