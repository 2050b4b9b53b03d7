"""The end of a study: a child builds the final model in the time that is left.

It first builds the best single model, which is soon there, then the best of all, which it explains at last.
Should it be late or die on the way, the best that is written is taken; should it be lost before there is one,
another child tries once more, with the lightest of the good trials.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flowml.runner.child import CHAMPION, UNFINISHED, cleared
from flowml.runner.listener import Listener
from flowml.runner.slot import Doing, Slot
from flowml.storage.errors import ExportError, FlowMLError
from flowml.storage.records import Finding, Json, Level, TrialRecord

INSURE_S = 30.0  # for the first model, whatever the clock says
LATE_S = 0.3  # that a child may be late, once there is a model to fall back on
SLOWEST = 20.0  # pace of exports, as it is believed to be once a child was late: see `offers.pace_of`


class Closing:
    def __init__(
        self,
        work: Path,
        listener: Listener,
        limit_s: float,
        threads: int,
        findings: tuple[Finding, ...] = (),
        pace: float = 1.0,
    ) -> None:
        self._work = work
        self._listener = listener
        self._by = time.monotonic() + limit_s
        self._threads = threads
        self._findings = findings  # of the check, for the card
        self._pace = pace  # of this machine, as far as known
        self._insured: tuple[Json, str] | None = None  # a model to fall back on, and its folder
        self._champion: Json | None = None
        self._trouble: FlowMLError | None = None

    def run(
        self,
        records: list[TrialRecord],
        free_slot: Callable[[], Slot],
        until: Callable[[Callable[[], bool]], None],
    ) -> Json:
        """The champion. Raises what kept every child from building one."""
        for pace in (self._pace, SLOWEST):
            slot = free_slot()
            self._ask(slot, records, pace)
            until(partial(_is_through, slot))
            if self._champion is not None:
                return self._champion
            if self._insured is not None:
                return self._fall_back(*self._insured)
            self._listener.log(Level.WARNING, f"The final model was not built. {self._trouble}")
        raise self._trouble or ExportError("The final model was not built.", "See the log of the job.")

    def _ask(self, slot: Slot, records: list[TrialRecord], pace: float) -> None:
        left = self._by - time.monotonic()
        slot.now(Doing.FINISHING, max(INSURE_S, left))
        slot.send(
            "finish",
            records=[record.to_dict() for record in records],
            work=str(self._work),
            deadline_s=left,
            threads=self._threads,
            pace=pace,
            findings=[finding.to_dict() for finding in self._findings],
        )

    def insured(self, slot: Slot, champion: Json, folder: str) -> None:
        """From now on the child is not waited for any longer than the clock allows."""
        self._insured = champion, folder
        slot.now(Doing.FINISHING, max(0.0, self._by - time.monotonic()), LATE_S)

    def finished(self, champion: Json) -> None:
        self._champion = champion

    def failed(self, error: FlowMLError) -> None:
        self._trouble = error

    def _fall_back(self, champion: Json, folder: str) -> Json:
        final = folder == UNFINISHED
        kept = "The model was kept as it was exported" if final else "The best single model was kept"
        note = f"{kept}, the rest of the finish was left out. {self._trouble}"
        (self._work / folder).rename(cleared(self._work / CHAMPION))
        return {**champion, "notes": [*champion.get("notes", ()), note]}


def _is_through(slot: Slot) -> bool:
    return slot.doing is not Doing.FINISHING
