"""How a table differs from the one that a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from flowml.storage.records.record import Record
from flowml.storage.records.words import Severity


@dataclass(frozen=True)
class ColumnReference(Record):
    """How the values of one column were spread, small enough to travel with a model."""

    name: str
    kind: str  # number, moment (seconds since 1970), length (characters of a text), word
    missing: int
    counts: tuple[int, ...] = ()  # of the bins, or of `values` and then of all other words
    edges: tuple[float, ...] = ()  # upper ends of all bins but the last
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()  # the most frequent words
    complete: bool = True  # there were no other words


@dataclass(frozen=True)
class DriftReference(Record):
    rows: int
    columns: tuple[ColumnReference, ...]


@dataclass(frozen=True)
class ColumnDrift(Record):
    """One column then and now. `severity` is None where nothing is worth a word."""

    column: str
    kind: str
    psi: float | None = None  # population stability index; None where one side has no values
    jensen_shannon: float | None = None  # divergence in bits, 0 to 1
    missing_before: float = 0.0  # shares of the rows
    missing_now: float = 0.0
    outside: int = 0  # rows below the minimum or above the maximum of training
    new_values: tuple[str, ...] = ()  # some of the words that training never saw
    new_rows: int = 0  # that hold such a word
    labels: tuple[str, ...] = ()  # of the bins or words, with their shares
    before: tuple[float, ...] = ()
    now: tuple[float, ...] = ()
    severity: Severity | None = None
    message: str = ""


@dataclass(frozen=True)
class DriftSummary(Record):
    """`columns` stand with those first that differ most."""

    rows: int
    columns: tuple[ColumnDrift, ...]
    absent: tuple[str, ...] = ()  # columns of training that the table lacks

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        return tuple(column for column in self.columns if column.severity is not None)


@dataclass(frozen=True)
class VersionDifference(Record):
    """What changed from one version of a dataset to another."""

    old: str
    new: str
    rows_before: int
    rows_now: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    retyped: dict[str, tuple[str, ...]]  # column -> type before, type now
    values: DriftSummary
