"""Which orders of a study count: by trial its present claim, and which lane took it. For any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from flowml.runner.study import Order

MOST_LOSSES = 3  # lanes that a trial may take along before it counts as failed


@dataclass
class Claim:
    order: Order
    lane: str = ""  # that took it; empty: it waits
    losses: int = 0
    arriving: bool = False  # it has ended, and what it left behind is on its way


class Claims:
    def __init__(self) -> None:
        self._claims: dict[int, Claim] = {}
        self._turn = threading.RLock()

    def __len__(self) -> int:
        return len(self._claims)

    def count(self, counts: Callable[[str], bool]) -> int:
        """Of those whose kind counts."""
        with self._turn:
            return sum(counts(claim.order.kind) for claim in self._claims.values())

    def kinds(self) -> set[str]:
        with self._turn:
            return {claim.order.kind for claim in self._claims.values()}

    def put(self, order: Order, lane: str = "") -> None:
        with self._turn:
            self._claims[order.number] = Claim(order, lane)

    def find(self, number: int, claim: str) -> Claim | None:
        """None where that claim does not count, or not any more."""
        with self._turn:
            found = self._claims.get(number)
            return found if found is not None and found.order.claim == claim else None

    def taken(self, number: int, claim: str, lane: str) -> bool:
        with self._turn:
            found = self.find(number, claim)
            if found is not None:
                found.lane = lane
            return found is not None

    def arrives(self, number: int, claim: str) -> bool:
        """Whether this is its first answer; from now on it is neither ordered anew nor answered twice."""
        with self._turn:
            found = self.find(number, claim)
            first = found is not None and not found.arriving
            if found is not None:
                found.arriving = True
            return first

    def again(self, number: int, claim: str, new_claim: str, lost: bool) -> Order | None:
        """The order under a new claim. None where it does not count, or took too many lanes along."""
        with self._turn:
            found = self.find(number, claim)
            if found is None:
                return None
            losses = found.losses + lost
            if losses >= MOST_LOSSES:
                return None
            order = replace(found.order, claim=new_claim)
            self._claims[number] = Claim(order, losses=losses)
            return order

    def end(self, number: int) -> None:
        with self._turn:
            self._claims.pop(number, None)

    def clear(self) -> None:
        with self._turn:
            self._claims.clear()
