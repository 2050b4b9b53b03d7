"""The trials of a study as its lead knows them: which run, and how the others ended."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from flowml.storage.errors import FlowMLError
from flowml.storage.records import TrialRecord, TrialState

if TYPE_CHECKING:
    from flowml.automl.candidate import Candidate


class Ledger:
    def __init__(self, past: tuple[TrialRecord, ...], threads: int, worker: str) -> None:
        self.records = {record.number: record for record in past}
        self._complete = {record.number: record for record in past if record.state is TrialState.COMPLETE}
        self._running: dict[int, tuple[Candidate, float, str]] = {}  # trial, when it began, worker
        self._offered: dict[int, Candidate] = {}  # to helpers, and not begun
        self._begun: set[int] = set()  # of trials that began and were lost
        self._threads = threads
        self._worker = worker

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def open(self) -> int:
        """Trials that run or are offered to helpers."""
        return len(self._running) + len(self._offered)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the trials that run."""
        return tuple(self._running)

    def running_candidate(self, number: int) -> Candidate | None:
        return self._running[number][0] if number in self._running else None

    @property
    def has_failed(self) -> bool:
        return any(record.state is TrialState.FAILED for record in self.records.values())

    @property
    def complete(self) -> tuple[TrialRecord, ...]:
        return tuple(self._complete.values())

    def begin(self, candidate: Candidate, worker: str = "") -> None:
        """`worker` is that of the helper which runs it."""
        self._offered.pop(candidate.number, None)
        self._running[candidate.number] = (candidate, time.time(), worker or self._worker)

    def offer(self, candidate: Candidate) -> None:
        self._offered[candidate.number] = candidate

    def offered(self, number: int) -> Candidate | None:
        """None for a trial that is not offered, or not any more."""
        return self._offered.get(number)

    def waits(self, candidate: Candidate) -> None:
        """A trial that had begun, and will begin once more."""
        self._running.pop(candidate.number, None)
        self._offered[candidate.number] = candidate
        self._begun.add(candidate.number)

    def waiting(self) -> tuple[int, ...]:
        """Trials that had begun and did not begin again. Nothing is offered any more."""
        found = tuple(number for number in self._offered if number in self._begun)
        self._offered = {number: self._offered[number] for number in found}
        return found

    def knows(self, number: int) -> bool:
        """Whether the trial runs or is offered."""
        return number in self._running or number in self._offered

    def forget(self, number: int) -> None:
        self._running.pop(number, None)

    def end(self, record: TrialRecord) -> None:
        self._running.pop(record.number, None)
        self._offered.pop(record.number, None)
        self.records[record.number] = record
        if record.state is TrialState.COMPLETE:
            self._complete[record.number] = record

    def unfinished(self, number: int, state: TrialState, cause: str, advice: str = "") -> TrialRecord:
        """The record of a trial that did not come to an end by itself."""
        candidate, began, worker = self._running.get(number) or (self._offered[number], time.time(), "")
        return TrialRecord(
            number=candidate.number,
            algorithm=candidate.algorithm,
            params=candidate.params,
            state=state,
            stage=candidate.stage,
            seed=candidate.seed,
            started_at=began,
            seconds=time.time() - began,
            threads=self._threads,
            worker=worker,
            cause=cause,
            advice=advice,
        )

    def best_score(self, direction: str) -> float | None:
        scores = [record.score for record in self.complete if record.score is not None]
        best = max if direction == "maximize" else min
        return best(scores, default=None)

    def counts(self) -> dict[str, int]:
        """State -> number of trials, for the receipt."""
        return dict(Counter(record.state.value for record in self.records.values()))

    def nothing_complete(self) -> FlowMLError:
        """Why there is no model."""
        failed = [record for record in self.records.values() if record.cause]
        if not failed:
            return FlowMLError("No trial was started.", "Choose other algorithms, or allow more of them.")
        from flowml.automl.algorithms import ALGORITHMS

        first, count = failed[0], len(self.records)
        name = ALGORITHMS[first.algorithm].label
        message = f"None of {count} trials could be completed. The first, {name}: {first.cause}"
        return FlowMLError(message, first.advice)
