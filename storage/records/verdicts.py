"""What comes of evaluating rows of a leaderboard once more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flowml.storage.records.models import TrialRecord
from flowml.storage.records.record import Record


class Agreement(StrEnum):
    """How the scores of a row came out the second time."""

    SAME = "same"
    DIFFERENT = "different"
    EXCUSED = "excused"  # different, for a reason outside of the study
    NOTHING = "nothing"  # it never had a score


@dataclass(frozen=True)
class Verdict(Record):
    """What comes of evaluating one row again. `trial` is None for the champion."""

    trial: int | None
    name: str
    agreement: Agreement
    folds: int = 0  # whose scores were compared
    gap: float | None = None  # the largest difference between two scores of one fold
    why: str = ""


@dataclass(frozen=True)
class Verifying(Record):
    """A row that a worker evaluates again, and what came of it once that is known."""

    job_id: str  # whose row it is
    row: TrialRecord
    processor: str = ""  # of the machine that the row ran on, where that is known
    verdict: Verdict | None = None
    at: float | None = None
    worker: str = ""  # that evaluated it again
