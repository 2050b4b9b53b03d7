"""A study as it is kept beside its model, and what comes of evaluating its rows again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flowml.storage.records.jobs import JobSpec
from flowml.storage.records.models import TrialRecord
from flowml.storage.records.record import Json, Record
from flowml.storage.records.tables import DatasetSchema


@dataclass(frozen=True)
class Source(Record):
    """The file that a table came from."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Recipe(Record):
    """What a champion is made of, and how that scored."""

    trials: tuple[int, ...]
    weights: tuple[float, ...]
    score: float
    fold_scores: tuple[float, ...]
    stack: Json | None = None  # the linear model on top of the trials, if there is one


@dataclass(frozen=True)
class StudyRecord(Record):
    """All that is needed to evaluate the rows of a leaderboard again."""

    spec: JobSpec
    schema: DatasetSchema
    source: Source
    trials: tuple[TrialRecord, ...]
    champion: Recipe | None = None
    made_with: str = ""  # version of FlowML
    processor: str = ""


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
