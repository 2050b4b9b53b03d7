"""Datasets, their columns, and what a check of them finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowml.storage.records.record import Json, Record
from flowml.storage.records.words import Role, Severity

COMMA_THOUSANDS, COMMA_DECIMALS = "1,234.5", "1.234,5"  # what a comma in a number is for


@dataclass(frozen=True)
class Column(Record):
    """One column of a dataset: what it holds and what it is for."""

    name: str
    type: str  # number, integer, boolean, string, datetime, date, time, duration, list, other
    role: Role
    reason: str = ""  # why this role was guessed
    missing: int = 0
    unique: int = 0
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    median: float | None = None
    std: float | None = None
    top: tuple[str, ...] = ()  # most frequent values as text, at most 20
    top_counts: tuple[int, ...] = ()
    histogram: tuple[int, ...] = ()  # counts of 20 equal bins from minimum to maximum
    mean_length: float | None = None  # of strings, in characters
    written: tuple[str, ...] = ()  # how its texts write dates (formats) or numbers (one of COMMA_…)


@dataclass(frozen=True)
class DatasetSchema(Record):
    rows: int
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


@dataclass(frozen=True)
class Dataset(Record):
    id: str
    name: str
    version: int
    sha256: str  # of the canonical Parquet file
    rows: int
    size: int
    source: str  # the file name it came as
    format: str
    created_at: float
    schema: DatasetSchema
    deleted: bool = False
    findings: tuple[Finding, ...] = ()  # what was noticed while the file was read
    roles: dict[str, Role] = field(default_factory=dict)  # that users gave columns instead of the guessed
    parent: str = ""  # id of the dataset that this one was made from
    query: str = ""  # the SQL that made it
    project: str = ""  # whose users see it; empty: all
    owner: str = ""  # name of the user who brought it
    source_table: str = ""  # the sheet, table or member of its file, where that could hold several

    def role(self, name: str) -> Role | None:
        """What a column is for, as far as is known before a target is chosen."""
        column = self.schema.column(name)
        return None if column is None else self.roles.get(name, column.role)


@dataclass(frozen=True)
class DatasetEntry(Record):
    """A dataset as lists show it, without what is known of its columns."""

    id: str
    name: str
    version: int
    rows: int
    columns: int
    size: int  # bytes
    created_at: float
    source: str = ""  # the file name it came as
    format: str = ""
    project: str = ""
    owner: str = ""


@dataclass(frozen=True)
class DatasetTotals(Record):
    """All datasets that one sees, together."""

    datasets: int  # each version counts
    names: int
    rows: int


@dataclass(frozen=True)
class Finding(Record):
    """One thing the check of a table or a job noticed.

    `fix` is what one click would change: `roles`, `split` and `metric` as in JobSpec, or `query`, the SQL of
    a mended version of the dataset. Empty where there is nothing to apply.
    """

    kind: str
    severity: Severity
    message: str
    column: str | None = None
    advice: str = ""
    evidence: Json = field(default_factory=dict)
    fix: Json = field(default_factory=dict)
