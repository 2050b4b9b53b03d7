"""What a lane tells of itself: its stages, its state, the clock; and at the end the receipt."""

from __future__ import annotations

import time
from itertools import pairwise

from flowml.automl.budget import Budget
from flowml.runner.ledger import Ledger
from flowml.runner.listener import Listener
from flowml.storage.records import JobState, Json, Phase, Receipt

LATE_S = 0.5  # beyond the budget that is worth a note


class Progress:
    """`started` is when the job began; what earlier lanes used of its budget counts as well."""

    def __init__(self, listener: Listener, budget_s: float, started: float) -> None:
        self.state = JobState.RUNNING
        self.budget = Budget(budget_s, started)
        self._listener = listener
        self._started = started
        self._phases: list[tuple[str, float]] = []  # name, and when it began
        self._paused_at = 0.0

    def used_s(self) -> float:
        """Of the budget until now; it stands still while the job is paused."""
        paused_s = time.time() - self._paused_at if self.state is JobState.PAUSED else 0.0
        return self.budget.used() - paused_s

    def go_on_after(self, earlier_s: float) -> None:
        self.budget.started -= earlier_s

    def stage(self, phase: str, text: str) -> None:
        self._phases.append((phase, time.time()))
        self._listener.stage(text)

    def enter(self, state: JobState, ledger: Ledger) -> None:
        """While a job is paused, its clock stands still."""
        if state is JobState.PAUSED:
            self._paused_at = time.time()
        elif self.state is JobState.PAUSED:
            self.budget.started += time.time() - self._paused_at
        self.state = state
        self.tell(ledger)

    def tell(self, ledger: Ledger) -> None:
        self._listener.progress(
            state=self.state.value,
            elapsed_s=round(self.used_s(), 2),
            budget_s=self.budget.budget_s,
            trials=len(ledger.records),
            running=ledger.running,
        )

    def receipt(self, ledger: Ledger, champion: Json) -> Receipt:
        used_s, now = self.used_s(), time.time()
        other_s = used_s - (now - self._started)  # of earlier lanes, less the pauses
        marks = [("start", self._started), *self._phases, ("", now)]
        phases = [Phase(name, round(end - begin, 3)) for (name, begin), (_, end) in pairwise(marks)]
        phases[-1:] = _parted(phases[-1], [Phase.from_dict(part) for part in champion.get("phases", ())])
        return Receipt(
            budget_s=self.budget.budget_s,
            used_s=round(used_s, 3),
            phases=(*([Phase("earlier", round(other_s, 3))] if other_s > 0.01 else []), *phases),
            trials=ledger.counts(),
            cut=tuple(champion.get("cut", ())),
            notes=(*champion.get("notes", ()), *self._notes(used_s)),
        )

    def _notes(self, used_s: float) -> list[str]:
        """What the pace of the machine did to the clock."""
        budget, notes = self.budget, []
        if round(budget.pace, 1) > 1:
            notes.append(
                f"The machine was busy or slow: things took {budget.pace:.1f} times as long as on an ordinary"
                f" one at rest, so {budget.reserve():.1f} s were kept for the finish."
            )
        if (late_s := used_s - budget.budget_s) > LATE_S:
            notes.append(f"It took {late_s:.1f} s longer than its budget, to end with a model.")
        return notes


def _parted(whole: Phase, parts: list[Phase]) -> list[Phase]:
    """A phase as its parts, with what is left of it under its own name."""
    rest = whole.seconds - sum(part.seconds for part in parts)
    return [*parts, Phase(whole.name, round(max(0.0, rest), 3))]


class Rhythm:
    """Says when something that recurs is due."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._next = 0.0

    def due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._every_s
        return True
