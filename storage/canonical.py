"""A table as we keep it: unique names, few types, one kind of missing, no column without name and values.

Types that remain: integer (Int64), number (Float64), boolean, text, date, datetime (microseconds, UTC where a
zone was given), time, duration; lists and raw bytes are kept but not learned from. Missing is always null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from flowml.storage.abreast import abreast
from flowml.storage.errors import EmptyFile
from flowml.storage.names import unique_names
from flowml.storage.reading import Reading, refuse_width
from flowml.storage.records import Finding
from flowml.storage.texts import settle_text, without
from flowml.storage.written import ways_of

TICKS = {"ms": 1e3, "us": 1e6, "ns": 1e9}  # in a second
FIRST_SECOND = -62_135_596_800
LAST_SECOND = 253_402_300_799


@dataclass(frozen=True)
class Canonical:
    frame: pl.DataFrame
    notes: dict[str, str]  # column -> how it was read, where that is worth a word
    findings: tuple[Finding, ...]
    written: dict[str, tuple[str, ...]] = field(default_factory=dict)  # column -> see Column


@dataclass(frozen=True)
class Settled:
    """One column before it is named."""

    column: pl.Series
    written: str  # its name in the file
    note: str
    ways: tuple[str, ...]  # see Column.written
    kept: bool = False  # surely as it was read

    @property
    def has_values(self) -> bool:
        return self.column.count() > 0


@dataclass(frozen=True)
class Naming:
    """What the columns of a table are called, and which of them are kept."""

    names: dict[int, str]  # by their place
    findings: tuple[Finding, ...]


def settle(reading: Reading) -> Canonical:
    if not reading.frame.width or not reading.frame.height:
        raise EmptyFile("The table has no rows.", "Add a file with at least one row.")
    settled = settle_columns(reading)
    naming = name(
        [each.written for each in settled], [each.has_values for each in settled], reading.frame.height
    )
    return Canonical(
        pl.DataFrame([settled[at].column.alias(called) for at, called in naming.names.items()]),
        {called: settled[at].note for at, called in naming.names.items() if settled[at].note},
        (*reading.findings, *naming.findings),
        {called: settled[at].ways for at, called in naming.names.items() if settled[at].ways},
    )


def settle_columns(reading: Reading) -> list[Settled]:
    frame, written = flattened(reading.frame, reading.names)
    refuse_width(frame.width)

    def settled(place: int) -> Settled:
        raw = frame.to_series(place)
        column, note = _settle_column(raw, reading)
        note = note or reading.notes.get(place, "")
        return Settled(column, written[place], note, _written(raw, column), column is raw)

    return abreast(settled, range(frame.width))


def name(written: Sequence[str], has_values: Sequence[bool], rows: int) -> Naming:
    """Columns without name and values are left out. Raises EmptyFile where no column has a value."""
    if not any(has_values):
        raise EmptyFile(f"The table has {rows:,} rows, but no cell holds a value.", "Check the file.")
    names, findings = unique_names(written)
    kept = {at: names[at] for at in range(len(names)) if written[at].strip() or has_values[at]}
    known = set(kept.values())
    return Naming(kept, tuple(finding for finding in findings if finding.column in known))


def _written(raw: pl.Series, settled: pl.Series) -> tuple[str, ...]:
    return ways_of(raw, settled) if raw.dtype == pl.String and settled.dtype != pl.String else ()


def flattened(frame: pl.DataFrame, names: tuple[str, ...]) -> tuple[pl.DataFrame, list[str]]:
    """Fields of nested records become columns named after both."""
    columns: list[pl.Series] = []
    written: list[str] = []
    for called, column in zip(names, frame.get_columns(), strict=True):
        fields = column.struct.unnest().get_columns() if isinstance(column.dtype, pl.Struct) else [column]
        columns += fields
        nested = isinstance(column.dtype, pl.Struct)
        written += [f"{called}.{field.name}" for field in fields] if nested else [called]
    return pl.DataFrame([column.alias(str(at)) for at, column in enumerate(columns)]), written


def _settle_column(column: pl.Series, reading: Reading) -> tuple[pl.Series, str]:
    dtype = column.dtype
    if dtype == pl.String:
        return settle_text(column, reading.typed, reading.decimal_comma)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String), ""  # its writer said that it names kinds
    if isinstance(dtype, pl.Date | pl.Datetime):
        return _moments(column)
    for fits, cast in CASTS:
        if fits(dtype):
            return cast(column), ""
    return column, ""


def _integer(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Int64:
        return column
    whole = column.cast(pl.Int64, strict=False)
    fits = whole.null_count() == column.null_count()
    return whole if fits else column.cast(pl.Float64)


def _number(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Float64 and not column.is_nan().any():
        return column
    return column.cast(pl.Float64).fill_nan(None)


def _moments(column: pl.Series) -> tuple[pl.Series, str]:
    """Days and moments of the years 1 to 9999, the only ones that Python and its friends know."""
    unit = TICKS[column.dtype.time_unit] if isinstance(column.dtype, pl.Datetime) else 1 / 86_400
    ticks = column.to_physical().cast(pl.Float64)
    beyond = (ticks < FIRST_SECOND * unit) | (ticks > LAST_SECOND * unit)
    lost = int(beyond.sum())
    kept = without(column, beyond)
    if isinstance(kept.dtype, pl.Datetime):
        kept = kept.dt.convert_time_zone("UTC") if kept.dtype.time_zone else kept
        kept = kept.dt.cast_time_unit("us")
    return kept, f"{lost:,} dates outside the years 1 to 9999 taken as missing" if lost else ""


CASTS: tuple[tuple[Callable[[pl.DataType], bool], Callable[[pl.Series], pl.Series]], ...] = (
    (lambda dtype: dtype.is_integer(), _integer),
    (lambda dtype: dtype.is_float() or dtype.is_decimal(), _number),
    (lambda dtype: isinstance(dtype, pl.Duration), lambda column: column.dt.cast_time_unit("us")),
    (lambda dtype: isinstance(dtype, pl.Null), lambda column: column.cast(pl.String)),
)
