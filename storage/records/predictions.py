"""What a prediction job is asked, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from flowml.storage.records.drift import DriftSummary
from flowml.storage.records.models import Artifact
from flowml.storage.records.record import Record


@dataclass(frozen=True)
class NamedFile(Record):
    """A file that is kept, and what its owner calls it."""

    sha256: str
    size: int
    name: str


@dataclass(frozen=True)
class Scoring(Record):
    """A file of rows for a model; the answers are kept as a file too."""

    model_id: str
    model: NamedFile
    source: NamedFile
    format: str = "csv"  # of the answers; or parquet
    table: str = ""  # of several in the source
    answer: Artifact | None = None  # once all is predicted
    done: int = 0  # rows
    rows: int | None = None  # in all, where the source tells
    warnings: tuple[str, ...] = ()
    more_warnings: int = 0  # kinds of warnings beyond those listed
    drift: DriftSummary | None = None  # from the table of the training


@dataclass(frozen=True)
class FileScored(Record):
    """What came of predicting a file: warnings are counted over all rows, the first ones listed."""

    rows: int
    warnings: tuple[str, ...] = ()
    more_warnings: int = 0
    drift: DriftSummary | None = None
