"""Numbers as they are, and numbers prepared for linear models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowml.automl.contract import Feeds
from flowml.automl.features.block import Matrix, stack
from flowml.automl.features.graph import Graph, concat
from flowml.storage.records import Record

# Standardised values stop here, so that a wild number cannot carry a linear model to infinity.
FURTHEST = 1e4


@dataclass(frozen=True)
class Numbers(Record):
    """Numbers cast to float32, missing as NaN."""

    columns: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns

    @property
    def sources(self) -> tuple[str, ...]:
        return self.columns

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * len(self.columns)

    def transform(self, feeds: Feeds) -> Matrix:
        return stack(feeds, self.columns).astype(np.float32)

    def build(self, graph: Graph) -> str:
        return graph.cast(concat(graph, list(self.columns)), np.float32)


@dataclass(frozen=True)
class Scaled(Record):
    """Numbers imputed with their median and standardised, then a flag for each column that had gaps."""

    columns: tuple[str, ...]
    medians: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    gaps: tuple[str, ...]  # columns with missing values in training

    @classmethod
    def fit(cls, columns: tuple[str, ...], feeds: Feeds) -> Scaled:
        values = stack(feeds, columns)
        empty = np.isnan(values)
        medians = [
            float(np.median(v[~e])) if not e.all() else 0.0 for v, e in zip(values.T, empty.T, strict=True)
        ]
        filled = np.where(empty, medians, values)
        means, deviations = filled.mean(axis=0), filled.std(axis=0)
        deviations[~(deviations > 0)] = 1.0
        gaps = tuple(name for name in columns if np.isnan(feeds[name]).any())
        return cls(columns, tuple(medians), tuple(means.tolist()), tuple(deviations.tolist()), gaps)

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns + tuple(f"{name} is missing" for name in self.gaps)

    @property
    def sources(self) -> tuple[str, ...]:
        return self.columns + self.gaps

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * (len(self.columns) + len(self.gaps))

    def transform(self, feeds: Feeds) -> Matrix:
        values = stack(feeds, self.columns)
        filled = np.where(np.isnan(values), self.medians, values)
        scaled = np.clip((filled - self.means) / self.deviations, -FURTHEST, FURTHEST)
        flags = [np.isnan(feeds[name]) for name in self.gaps]
        return np.concatenate(
            [scaled.astype(np.float32), *(flag.astype(np.float32) for flag in flags)], axis=1
        )

    def build(self, graph: Graph) -> str:
        values = concat(graph, list(self.columns))
        medians, means, deviations = (
            graph.constant([row], np.float64) for row in (self.medians, self.means, self.deviations)
        )
        filled = graph.op("Where", graph.op("IsNaN", values), medians, values)
        scaled = graph.op("Div", graph.op("Sub", filled, means), deviations)
        low, high = graph.constant(-FURTHEST, np.float64), graph.constant(FURTHEST, np.float64)
        parts = [graph.cast(graph.op("Clip", scaled, low, high), np.float32)]
        if self.gaps:
            parts.append(graph.cast(graph.op("IsNaN", concat(graph, list(self.gaps))), np.float32))
        return concat(graph, parts)
