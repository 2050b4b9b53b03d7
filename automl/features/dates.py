"""Dates as numbers for trees, and prepared for linear models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flowml.automl.contract import Feeds
from flowml.automl.features.block import Matrix
from flowml.automl.features.calendar import CYCLES, PARTS, build_parts, parts_of, varying
from flowml.automl.features.graph import Graph, concat
from flowml.storage.records import Record


@dataclass(frozen=True)
class DateParts(Record):
    """Parts as numbers; missing as NaN."""

    columns: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]  # of each column

    @classmethod
    def fit(cls, columns: tuple[str, ...], feeds: Feeds) -> DateParts:
        return cls(columns, tuple(varying(feeds[name], tuple(PARTS)) for name in columns))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{name} {part}" for name, parts in self._pairs() for part in parts)

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(name for name, parts in self._pairs() for _ in parts)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * len(self.names)

    def transform(self, feeds: Feeds) -> Matrix:
        blocks = []
        for name, parts in self._pairs():
            values, empty = parts_of(feeds[name], parts)
            blocks.append(np.where(empty, np.float32(np.nan), values.astype(np.float32)))
        return np.concatenate(blocks, axis=1)

    def build(self, graph: Graph) -> str:
        blocks = []
        for name, parts in self._pairs():
            values, empty = build_parts(graph, name, parts)
            nothing = graph.constant(np.nan, np.float32)
            blocks.append(graph.op("Where", empty, nothing, graph.cast(values, np.float32)))
        return concat(graph, blocks)

    def _pairs(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        return zip(self.columns, self.parts, strict=True)


@dataclass(frozen=True)
class DateDummies(Record):
    """Steadily growing parts standardised, recurring parts as 0 and 1; missing as 0."""

    column: str
    steady: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    cycles: tuple[str, ...]

    @classmethod
    def fit(cls, column: str, feeds: Feeds) -> DateDummies:
        parts = varying(feeds[column], ("day", "days", *CYCLES))
        steady = tuple(name for name in parts if name not in CYCLES)
        values, empty = parts_of(feeds[column], steady)
        present = values[~empty.ravel()].astype(np.float64)
        if not len(present):
            present = np.zeros((1, len(steady)))
        deviations = present.std(axis=0)
        deviations[~(deviations > 0)] = 1.0
        cycles = tuple(name for name in parts if name in CYCLES)
        return cls(column, steady, tuple(present.mean(axis=0).tolist()), tuple(deviations.tolist()), cycles)

    @property
    def names(self) -> tuple[str, ...]:
        recurring = (f"{self.column} {part} = {value}" for part in self.cycles for value in CYCLES[part])
        return (*(f"{self.column} {part}" for part in self.steady), *recurring)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,) * len(self.names)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * len(self.names)

    def transform(self, feeds: Feeds) -> Matrix:
        values, empty = parts_of(feeds[self.column], self.steady + self.cycles)
        steady = values[:, : len(self.steady)].astype(np.float64)
        parts = [((steady - self.means) / self.deviations).astype(np.float32)]
        for name, part in zip(self.cycles, values[:, len(self.steady) :].T, strict=True):
            parts.append((part[:, None] == np.array(CYCLES[name])).astype(np.float32))
        return np.where(empty, np.float32(0), np.concatenate(parts, axis=1))

    def build(self, graph: Graph) -> str:
        steady, empty = build_parts(graph, self.column, self.steady)
        means, deviations = (graph.constant([row], np.float64) for row in (self.means, self.deviations))
        scaled = graph.op("Div", graph.op("Sub", graph.cast(steady, np.float64), means), deviations)
        parts = [graph.cast(scaled, np.float32)]
        for name in self.cycles:
            part, _ = build_parts(graph, self.column, (name,))
            values = graph.constant([list(CYCLES[name])], np.int64)
            parts.append(graph.cast(graph.op("Equal", part, values), np.float32))
        return graph.op("Where", empty, graph.constant(0, np.float32), concat(graph, parts))
