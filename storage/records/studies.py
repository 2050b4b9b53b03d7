"""A study as it is kept beside its model."""

from __future__ import annotations

from dataclasses import dataclass

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
