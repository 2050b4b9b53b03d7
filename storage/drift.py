"""Whether a table is still like the one that a model was trained on.

`reference` measures the training table once; its record is small and stays with the model. `compare` holds a
later table against it, `Comparison` one that comes in pieces. Both tables may have any number of rows: what
chance alone explains is no drift.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import numpy as np
import polars as pl

from flowml.storage.records import (
    Column,
    ColumnDrift,
    ColumnReference,
    DatasetSchema,
    DriftReference,
    DriftSummary,
    Role,
    Severity,
)
from flowml.storage.spread import (
    NOT_COMPARED,
    Counts,
    Floats,
    bin_counts,
    kind_of,
    measure,
    settled,
    word_counts,
)

SHIFTED, FAR = 0.1, 0.25  # of the index beyond what chance explains: the customary bounds
SURE = 3.09  # standard deviations: one column in a thousand is told by mistake
MISSING_RISE, MISSING_FAR = 0.05, 0.2  # of the share of rows without a value
NEW_FAR = 0.1  # of the rows that hold a word never seen in training
OWN_WORDS = 20  # the most frequent ones are compared each by itself
MOST_NEW = 1000  # distinct ones that are counted
SHOWN_NEW = 10
FAR_OUT = 0.01  # of the rows beyond the range of training


def reference(frame: pl.DataFrame, roles: Mapping[str, Role] | None = None) -> DriftReference:
    """Measures a table. Columns whose role says that they name single rows or nothing are left out."""
    columns = []
    for column in frame.get_columns():
        kind = kind_of(column, (roles or {}).get(column.name))
        if kind is not None:
            columns.append(measure(column.name, column, kind))
    return DriftReference(frame.height, tuple(columns))


def reference_of(schema: DatasetSchema) -> DriftReference:
    """What the statistics of a dataset tell, for tables that were never measured."""
    told = (_from_statistics(column, schema.rows) for column in schema.columns)
    return DriftReference(schema.rows, tuple(column for column in told if column is not None))


def _from_statistics(column: Column, rows: int) -> ColumnReference | None:
    if column.role in NOT_COMPARED or column.role is Role.TEXT:
        return None
    if column.role in (Role.CATEGORICAL, Role.BOOLEAN) or column.type in ("string", "boolean"):
        others = max(0, rows - column.missing - sum(column.top_counts))
        counts = (*column.top_counts, others)
        whole = len(column.top) == column.unique
        return (
            ColumnReference(column.name, "word", column.missing, counts, values=column.top, complete=whole)
            if column.top
            else None
        )
    kind = {"number": "number", "integer": "number", "date": "moment", "datetime": "moment"}.get(column.type)
    if kind is None:
        return None
    low, high = _seconds(column.minimum), _seconds(column.maximum)
    if low is None or high is None or not column.histogram:
        return None
    if len(column.top) == column.unique:  # a bin each
        pairs = sorted(zip(map(float, column.top), column.top_counts, strict=True))
        inner, counts = tuple(value for value, _ in pairs[:-1]), tuple(count for _, count in pairs)
    else:
        edges = np.linspace(low, high, len(column.histogram) + 1)[1:-1]
        inner = tuple(float(edge) for edge in np.nextafter(edges, -np.inf))  # they began the next bin
        counts = column.histogram
    return ColumnReference(column.name, kind, column.missing, counts, inner, low, high)


def _seconds(value: float | str | None) -> float | None:
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def compare(reference: DriftReference, frame: pl.DataFrame) -> DriftSummary:
    comparison = Comparison(reference)
    comparison.add(frame)
    return comparison.summary()


class Comparison:
    """Counts a later table piece by piece; keeps only counts."""

    def __init__(self, reference: DriftReference) -> None:
        self._before = reference
        self._rows = 0
        self._columns = {column.name: _Tally(column) for column in reference.columns}

    def add(self, frame: pl.DataFrame) -> None:
        self._rows += frame.height
        for column in frame.get_columns():
            if column.name in self._columns:
                self._columns[column.name].add(column)

    def summary(self) -> DriftSummary:
        seen = [tally for tally in self._columns.values() if tally.rows or not self._rows]
        drifts = [tally.drift(self._before.rows) for tally in seen]
        absent = tuple(name for name, tally in self._columns.items() if self._rows and not tally.rows)
        return DriftSummary(self._rows, tuple(sorted(drifts, key=_rank)), absent)


class _Tally:
    """The counts of one column in the bins or words of its reference."""

    def __init__(self, before: ColumnReference) -> None:
        self.before = before
        self.rows = 0
        self.missing = 0
        self.outside = 0
        self.counts: Counts = np.zeros(max(1, len(before.counts)), np.int64)
        self.new: Counter[str] = Counter()
        self.new_rows = 0
        self._edges: Floats = np.asarray(before.edges, float)
        self._places = {word: place for place, word in enumerate(before.values)}

    def add(self, column: pl.Series) -> None:
        known = settled(column, self.before.kind).drop_nulls()
        self.rows += len(column)
        self.missing += len(column) - len(known)
        if self.before.kind == "word":
            self._add_words(known)
        elif len(known):
            self.counts += bin_counts(known, self._edges)
            self._add_outside(known)

    def _add_words(self, known: pl.Series) -> None:
        for word, count in word_counts(known).iter_rows():
            place = self._places.get(word, -1)
            self.counts[place] += count
            if place < 0 and self.before.complete:
                self.new_rows += count
                if word in self.new or len(self.new) < MOST_NEW:
                    self.new[word] += count

    def _add_outside(self, known: pl.Series) -> None:
        low, high = self.before.minimum, self.before.maximum
        if low is not None and high is not None:
            self.outside += int(((known < low) | (known > high)).sum())

    def drift(self, rows_before: int) -> ColumnDrift:
        before = _grouped(np.asarray(self.before.counts, np.int64), self.before.kind)
        now = _grouped(self.counts, self.before.kind)
        both = bool(before.sum()) and bool(now.sum())
        found = ColumnDrift(
            self.before.name,
            self.before.kind,
            stability_index(before, now) if both else None,
            jensen_shannon(before, now) if both else None,
            self.before.missing / max(1, rows_before),
            self.missing / max(1, self.rows),
            self.outside,
            tuple(word for word, _ in self.new.most_common(SHOWN_NEW)),
            self.new_rows,
            _labels(self.before, len(before)),
            _shares(before),
            _shares(now),
        )
        severity, message = _judged(found, int(before.sum()), int(now.sum()), rows_before, self.rows)
        return ColumnDrift(**{**vars(found), "severity": severity, "message": message})


# --- measures ---------------------------------------------------------------------------------------------


def stability_index(before: Counts, now: Counts) -> float:
    """The population stability index (PSI) of two rows of counts; half a row is added to each count."""
    p, q = _smooth(before), _smooth(now)
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon(before: Counts, now: Counts) -> float:
    """The divergence in bits: 0 where the shares are the same, 1 where nothing is in common."""
    p, q = before / before.sum(), now / now.sum()
    middle = (p + q) / 2
    return float(max(0.0, (_surprise(p, middle) + _surprise(q, middle)) / 2))


def _smooth(counts: Counts) -> Floats:
    smooth: Floats = (counts + 0.5) / (counts.sum() + 0.5 * len(counts))
    return smooth


def _surprise(p: Floats, middle: Floats) -> float:
    some = p > 0
    return float((p[some] * np.log2(p[some] / middle[some])).sum())


def _by_chance(bins: int, before: int, now: int) -> tuple[float, float]:
    """What the index is on average, and at most, where both tables are drawn alike.

    Times nm/(n+m) it is then distributed like chi squared, whose quantile is taken after Wilson and Hilferty.
    """
    freedom, scale = max(1, bins - 1), 1 / before + 1 / now
    term = 2 / (9 * freedom)
    return freedom * scale, freedom * (1 - term + SURE * math.sqrt(term)) ** 3 * scale


# --- what it means ----------------------------------------------------------------------------------------


def _judged(
    found: ColumnDrift, before: int, now: int, rows_before: int, rows: int
) -> tuple[Severity | None, str]:
    """The severest of what is to be said, and all of it in words."""
    said = [
        each
        for each in (
            _about_values(found, before, now),
            _about_missing(found, rows_before, rows),
            _about_new(found, rows),
            _about_range(found, rows),
        )
        if each is not None
    ]
    if not said:
        return None, ""
    severity = Severity.WARNING if any(s is Severity.WARNING for s, _ in said) else Severity.NOTE
    return severity, "; ".join(words for _, words in said)


def _about_values(found: ColumnDrift, before: int, now: int) -> tuple[Severity, str] | None:
    if found.psi is None:
        return None
    mean, most = _by_chance(len(found.labels), before, now)
    excess = found.psi - mean
    if excess < SHIFTED or found.psi < most:
        return None
    if found.kind == "moment":  # time goes on
        beyond = f", {_rows(found.outside)} outside their range" if found.outside else ""
        return Severity.NOTE, f"other dates than before (PSI {found.psi:.2f}){beyond}"
    far = excess >= FAR
    return (
        Severity.WARNING if far else Severity.NOTE,
        f"values {'differ much' if far else 'have shifted'} (PSI {found.psi:.2f})",
    )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _about_missing(found: ColumnDrift, rows_before: int, rows: int) -> tuple[Severity, str] | None:
    p, q = found.missing_before, found.missing_now
    together = (p * rows_before + q * rows) / max(1, rows_before + rows)
    noise = math.sqrt(together * (1 - together) * (1 / max(1, rows_before) + 1 / max(1, rows)))
    if abs(q - p) < max(MISSING_RISE, SURE * noise):
        return None
    far = q - p >= MISSING_FAR
    return Severity.WARNING if far else Severity.NOTE, f"missing in {q:.0%} of the rows, {p:.0%} before"


def _about_new(found: ColumnDrift, rows: int) -> tuple[Severity, str] | None:
    share = found.new_rows / max(1, rows)
    if found.new_rows == 0:
        return None
    listed = ", ".join(repr(word) for word in found.new_values[:3])
    more = ", …" if len(found.new_values) > 3 else ""
    severity = Severity.WARNING if share >= NEW_FAR else Severity.NOTE
    return severity, f"{_rows(found.new_rows)} with values not seen before: {listed}{more}"


def _about_range(found: ColumnDrift, rows: int) -> tuple[Severity, str] | None:
    if found.kind == "moment" or found.outside < FAR_OUT * max(1, rows):
        return None
    return Severity.NOTE, f"{_rows(found.outside)} below or above all that was before"


def _rank(drift: ColumnDrift) -> tuple[int, float]:
    order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2, None: 3}
    return order[drift.severity], -(drift.psi or 0.0)


# --- bins and their names ---------------------------------------------------------------------------------


def _grouped(counts: Counts, kind: str) -> Counts:
    """Counts to compare: those of rare words together, as chance moves each of them about."""
    if kind != "word" or len(counts) <= OWN_WORDS + 1:
        return counts
    return np.append(counts[:OWN_WORDS], counts[OWN_WORDS:].sum())


def _labels(before: ColumnReference, bins: int) -> tuple[str, ...]:
    if before.kind == "word":
        return (*before.values[: bins - 1], "others")
    ends = [f"{edge:.6g}" for edge in before.edges]
    if not ends:
        return ("all",)
    between = [f"{low} to {high}" for low, high in itertools.pairwise(ends)]
    return (f"up to {ends[0]}", *between, f"above {ends[-1]}")


def _shares(counts: Iterable[int]) -> tuple[float, ...]:
    values = [int(count) for count in counts]
    total = sum(values)
    return tuple(round(value / total, 6) if total else 0.0 for value in values)
