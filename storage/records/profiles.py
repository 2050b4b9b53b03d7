"""What is known of a table beyond its schema."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowml.storage.records.record import Record


@dataclass(frozen=True)
class ColumnProfile(Record):
    """One column. What its type has none of is None or empty; lengths are of texts, in characters."""

    column: str
    kind: str  # number, moment, word, text, other
    missing: int
    distinct: int
    exact: bool = True  # else `distinct` is an estimate, off by some ten percent
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    std: float | None = None
    zeros: int | None = None
    negative: int | None = None
    quantiles: dict[str, float] = field(default_factory=dict)  # by share, as "0.25"
    low: float | None = None  # ends of the histogram; moments in seconds since 1970
    high: float | None = None
    histogram: tuple[int, ...] = ()  # counts of equal bins from `low` to `high`
    below: int = 0  # rows left of the histogram, and right of it
    above: int = 0
    top: tuple[str, ...] = ()  # most frequent values as text
    top_counts: tuple[int, ...] = ()
    length_least: int | None = None
    length_mean: float | None = None
    length_most: int | None = None


@dataclass(frozen=True)
class Association(Record):
    """How much two columns have to do with each other."""

    column: str
    other: str
    measure: str  # spearman, cramers_v, correlation_ratio
    value: float  # 0 to 1; spearman from -1


@dataclass(frozen=True)
class TargetAssociation(Record):
    """How much one column alone tells of the target."""

    column: str
    measure: str  # spearman, cramers_v, correlation_ratio
    value: float
    mutual_information: float  # as a share of what there is to know of the target, 0 to 1
    auc: float | None = None  # of the column alone, for a target of two classes, on rows not looked at
    power: float = 0.0  # what the column alone predicts on rows not looked at, 0 (nothing) to 1 (all)


@dataclass(frozen=True)
class Profile(Record):
    """`sampled` rows stood for the quantiles and associations; counts are of all rows."""

    rows: int
    size: int  # bytes of the Parquet file
    columns: tuple[ColumnProfile, ...]
    sampled: int
    duplicates: int | None = None  # rows that repeat an earlier one; None where it was not counted
    associations: tuple[Association, ...] = ()  # strongest first
    related: tuple[str, ...] = ()  # the columns among which associations were looked for
