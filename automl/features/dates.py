"""Dates as numbers for trees, and prepared for linear models."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
import numpy.typing as npt

from flowml.automl.contract import MISSING_DATE, Feeds
from flowml.automl.features.block import Matrix
from flowml.automl.features.calendar import (
    CYCLES,
    DAY,
    Elapsed,
    build_parts,
    parts_of,
    varying,
)
from flowml.automl.features.graph import Graph, Tensor, concat
from flowml.storage.records import Record

MOST_SPANS = 10  # pairs of columns whose distance is a feature
RECURRING = ("year", "month", "day", "date", "weekday", "hour")


@dataclass(frozen=True)
class DateParts(Record):
    """Parts of one column and the time since its earliest date, as numbers; missing as NaN."""

    column: str
    parts: tuple[str, ...]
    elapsed: Elapsed

    @classmethod
    def fit(cls, column: str, feeds: Feeds) -> DateParts:
        parts = varying(feeds[column], RECURRING)
        if "year" not in parts:  # within one year the time elapsed says as much
            parts = tuple(part for part in parts if part != "date")
        return cls(column, parts, Elapsed.fit(feeds[column]))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.column} {part}" for part in (*self.parts, self.elapsed.name))

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,) * len(self.names)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * len(self.names)

    def transform(self, feeds: Feeds) -> Matrix:
        values, empty = _values(feeds[self.column], self.parts, self.elapsed)
        return np.where(empty, np.float32(np.nan), values.astype(np.float32))

    def build(self, graph: Graph) -> str:
        values, empty = _build_values(graph, self.column, self.parts, self.elapsed)
        return graph.op("Where", empty, graph.constant(np.nan, np.float32), graph.cast(values, np.float32))


@dataclass(frozen=True)
class DateDummies(Record):
    """The day and the time elapsed standardised, recurring parts as 0 and 1; missing as 0 and a flag."""

    column: str
    steady: tuple[str, ...]
    elapsed: Elapsed
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    cycles: tuple[str, ...]
    gaps: bool  # whether dates were missing in training

    @classmethod
    def fit(cls, column: str, feeds: Feeds) -> DateDummies:
        parts, elapsed = varying(feeds[column], ("day", *CYCLES)), Elapsed.fit(feeds[column])
        steady = tuple(name for name in parts if name not in CYCLES)
        values, empty = _values(feeds[column], steady, elapsed)
        means, deviations = _scale(values[~empty.ravel()].astype(np.float64))
        cycles = tuple(name for name in parts if name in CYCLES)
        return cls(column, steady, elapsed, means, deviations, cycles, bool(empty.any()))

    @property
    def names(self) -> tuple[str, ...]:
        recurring = (f"{self.column} {part} = {value}" for part in self.cycles for value in CYCLES[part])
        steady = (f"{self.column} {part}" for part in (*self.steady, self.elapsed.name))
        return (*steady, *recurring, *([f"{self.column} is missing"] if self.gaps else []))

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,) * len(self.names)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * len(self.names)

    def transform(self, feeds: Feeds) -> Matrix:
        steady, empty = _values(feeds[self.column], self.steady, self.elapsed)
        parts = [((steady.astype(np.float64) - self.means) / self.deviations).astype(np.float32)]
        for name in self.cycles:
            part, _ = parts_of(feeds[self.column], (name,))
            parts.append((part == np.array(CYCLES[name])).astype(np.float32))
        known = np.where(empty, np.float32(0), np.concatenate(parts, axis=1))
        return np.concatenate([known, empty.astype(np.float32)], axis=1) if self.gaps else known

    def build(self, graph: Graph) -> str:
        steady, empty = _build_values(graph, self.column, self.steady, self.elapsed)
        parts = [_build_scaled(graph, graph.cast(steady, np.float64), self.means, self.deviations)]
        for name in self.cycles:
            part, _ = build_parts(graph, self.column, (name,))
            values = graph.constant([list(CYCLES[name])], np.int64)
            parts.append(graph.cast(graph.op("Equal", part, values), np.float32))
        known = graph.op("Where", empty, graph.constant(0, np.float32), concat(graph, parts))
        return concat(graph, [known, graph.cast(empty, np.float32)]) if self.gaps else known


@dataclass(frozen=True)
class DateSpans(Record):
    """Days between two columns of dates. For trees as they are, missing as NaN; else standardised, as 0."""

    pairs: tuple[tuple[str, str], ...]
    means: tuple[float, ...] = ()  # of linear models
    deviations: tuple[float, ...] = ()

    @classmethod
    def fit(cls, columns: tuple[str, ...], feeds: Feeds, *, scaled: bool) -> DateSpans:
        pairs = tuple(islice(combinations(columns, 2), MOST_SPANS))
        if not pairs or not scaled:
            return cls(pairs)
        days, empty = cls(pairs)._days(feeds)
        scales = [_scale(each[~gap][:, None]) for each, gap in zip(days.T, empty.T, strict=True)]
        return cls(pairs, tuple(mean for (mean,), _ in scales), tuple(one for _, (one,) in scales))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"days from {one} to {other}" for one, other in self.pairs)

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(other for _, other in self.pairs)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * len(self.pairs)

    def transform(self, feeds: Feeds) -> Matrix:
        days, empty = self._days(feeds)
        if not self.means:
            return np.where(empty, np.float32(np.nan), days.astype(np.float32))
        return np.where(empty, np.float32(0), ((days - self.means) / self.deviations).astype(np.float32))

    def build(self, graph: Graph) -> str:
        days, empty = zip(*(self._build_days(graph, *pair) for pair in self.pairs), strict=True)
        values, gaps = concat(graph, list(days)), concat(graph, list(empty))
        if not self.means:
            return graph.op("Where", gaps, graph.constant(np.nan, np.float32), graph.cast(values, np.float32))
        scaled = _build_scaled(graph, values, self.means, self.deviations)
        return graph.op("Where", gaps, graph.constant(0, np.float32), scaled)

    def _days(self, feeds: Feeds) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        ones = np.concatenate([feeds[one] for one, _ in self.pairs], axis=1)
        others = np.concatenate([feeds[other] for _, other in self.pairs], axis=1)
        empty = (ones == MISSING_DATE) | (others == MISSING_DATE)
        return np.where(empty, 0, others - ones).astype(np.float64) / DAY, empty

    def _build_days(self, graph: Graph, one: str, other: str) -> tuple[str, str]:
        nothing = graph.constant(MISSING_DATE, np.int64)
        empty = graph.op("Or", *(graph.op("Equal", each, nothing) for each in (one, other)))
        seconds = graph.op("Where", empty, graph.constant(0, np.int64), graph.op("Sub", other, one))
        return graph.op("Div", graph.cast(seconds, np.float64), graph.constant(DAY, np.float64)), empty


def _values(
    seconds: npt.NDArray[np.int64], parts: tuple[str, ...], elapsed: Elapsed
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Parts and the time elapsed side by side, and where the date is missing."""
    empty = seconds == MISSING_DATE
    units = elapsed.of(np.where(empty, 0, seconds))
    return np.concatenate([parts_of(seconds, parts)[0], units], axis=1) if parts else units, empty


def _build_values(graph: Graph, column: str, parts: tuple[str, ...], elapsed: Elapsed) -> tuple[str, str]:
    """The twin of `_values` in a graph."""
    empty = graph.op("Equal", column, graph.constant(MISSING_DATE, np.int64))
    known = Tensor(graph, graph.op("Where", empty, graph.constant(0, np.int64), column))
    units = elapsed.of(known).name
    return concat(graph, [build_parts(graph, column, parts)[0], units]) if parts else units, empty


def _scale(values: npt.NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each column, with 1 for a deviation of 0."""
    if not len(values):
        values = np.zeros((1, values.shape[1]))
    deviations = values.std(axis=0)
    deviations[~(deviations > 0)] = 1.0
    return tuple(values.mean(axis=0).tolist()), tuple(deviations.tolist())


def _build_scaled(graph: Graph, values: str, means: tuple[float, ...], deviations: tuple[float, ...]) -> str:
    middle, spread = (graph.constant([row], np.float64) for row in (means, deviations))
    return graph.cast(graph.op("Div", graph.op("Sub", values, middle), spread), np.float32)
