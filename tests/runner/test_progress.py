"""The clock that a lane tells, and why it ends with nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest

from flowml.runner.ledger import Ledger
from flowml.runner.progress import Progress
from flowml.storage.records import JobState, TrialRecord, TrialState


class Heard:
    """A listener that keeps the clock it is told."""

    def __init__(self) -> None:
        self.elapsed: list[float] = []

    def progress(self, **fields: Any) -> None:
        self.elapsed.append(fields["elapsed_s"])


def test_the_clock_stands_still_in_a_pause() -> None:
    heard, ledger = Heard(), Ledger((), 1, "m")
    progress = Progress(heard, 60.0, time.time() - 10.0)  # type: ignore[arg-type]
    progress.enter(JobState.PAUSED, ledger)
    progress.budget.started -= 5.0  # as if five seconds had gone by
    progress._paused_at -= 5.0
    progress.tell(ledger)
    progress.enter(JobState.RUNNING, ledger)
    assert heard.elapsed == pytest.approx([10.0, 10.0, 10.0], abs=1.0)


def test_a_job_without_a_complete_trial_names_the_algorithm_as_pages_do() -> None:
    failed = TrialRecord(0, "dummy", {}, TrialState.FAILED, cause="Its time was over.", advice="Take more.")
    told = Ledger((failed,), 1, "m").nothing_complete()
    assert "The first, Baseline: Its time was over." in str(told)
    assert told.advice == "Take more."


def test_a_receipt_tells_of_a_slow_machine_and_of_what_was_too_late() -> None:
    progress = Progress(Heard(), 60.0, time.time() - 30.0)  # type: ignore[arg-type]
    ledger = Ledger((), 1, "m")
    assert progress.receipt(ledger, {"phases": [], "notes": ["Kept."]}).notes == ("Kept.",)
    progress.budget.keep_pace(4.0, 0.0)
    (_, slow) = progress.receipt(ledger, {"phases": [], "notes": ["Kept."]}).notes
    assert "4.0 times" in slow
    progress.budget.started -= 35.0
    assert "5.0 s longer than its budget" in progress.receipt(ledger, {"phases": []}).notes[-1]
