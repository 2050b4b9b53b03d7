"""Where each trial of a study goes: to a GPU that can train it, else to a core, of ours or of a helper.

A trial that needs more memory than a lane has is not sent to it. One that could have used a GPU and did not
has the reason in its row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from flowml.runner.helpers import Helpers
from flowml.runner.needs import CPU, GIB, GPU, Cards, Serves, kind_of, may_use_gpu, memory_of
from flowml.storage.errors import TrialOutOfMemory
from flowml.storage.records import TrialRecord

if TYPE_CHECKING:
    from flowml.automl.candidate import Candidate
    from flowml.automl.shape import Shape

NO_GPU = "No worker with a GPU that it can train on was there."
BUSY = "All GPUs that it can train on were busy."


class Goes(Enum):
    HERE = auto()  # now, into a slot of ours
    THERE = auto()  # to the helpers
    LATER = auto()  # into the next slot of ours that is free
    ASIDE = auto()  # too large for us, and no helper that serves it has room
    NOWHERE = auto()  # too large for all


@dataclass(frozen=True)
class Way:
    goes: Goes
    device: str = ""  # here, or the kind of the order


class Routing:
    """`own` is what our own slots serve, `cells` the size of the table."""

    def __init__(self, own: Serves, cells: int, helpers: Helpers) -> None:
        self.own = own
        self.cards = Cards(own.cards)
        self._cells, self._helpers = cells, helpers
        self._kept: set[int] = set()
        self._reasons: dict[int, str] = {}

    def begin(self, shape: Shape) -> None:
        self._shape = shape

    def keep(self, number: int) -> None:
        """A trial that no helper has begun is for us from now on."""
        self._kept.add(number)

    def way(self, candidate: Candidate, here: bool) -> Way:
        """`here` is whether a slot of ours is free."""
        need = memory_of(candidate, self._shape, self._cells)
        if may_use_gpu(candidate.algorithm):
            kind = kind_of(f"{GPU}.{candidate.algorithm}", need)
            if here and self.cards.free and self.own.kind(kind):
                return Way(Goes.HERE, self.cards.give(candidate.number))
            if self._may_leave(candidate, kind):
                return Way(Goes.THERE, kind)
            able = self.own.kind(kind) or self._helpers.may_serve(kind)
            self._reasons[candidate.number] = BUSY if able else NO_GPU
        return self._to_a_core(candidate, need, here)

    def ended(self, record: TrialRecord) -> TrialRecord:
        """With the reason why it did not train on a GPU."""
        self.cards.back(record.number)
        reason = self._reasons.pop(record.number, "")
        return replace(record, device_reason=reason) if reason and record.device == CPU else record

    def too_large(self, candidate: Candidate) -> TrialOutOfMemory:
        need = memory_of(candidate, self._shape, self._cells) / GIB
        return TrialOutOfMemory(
            f"It needs about {need:.1f} GiB, and no worker has as much for one trial; here it is "
            f"{self.own.memory / GIB:.1f} GiB.",
            "Add a worker with more memory, or use fewer rows or columns.",
        )

    def _to_a_core(self, candidate: Candidate, need: float, here: bool) -> Way:
        kind = kind_of(CPU, need)
        fits = need <= max(GIB, self.own.memory)
        if fits and here:
            return Way(Goes.HERE, CPU)
        if self._may_leave(candidate, kind):
            return Way(Goes.THERE, kind)
        if fits:
            return Way(Goes.LATER)
        return Way(Goes.ASIDE if self._helpers.may_serve(kind) else Goes.NOWHERE)

    def _may_leave(self, candidate: Candidate, kind: str) -> bool:
        return candidate.number not in self._kept and self._helpers.room(kind) > 0
