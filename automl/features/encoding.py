"""An encoding: the whole matrix that a library learns from, made of blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from flowml.automl.contract import Feeds, rows_of
from flowml.automl.features.block import Block, Matrix
from flowml.automl.features.categories import Codes, Dummies
from flowml.automl.features.dates import DateDummies, DateParts, DateSpans
from flowml.automl.features.graph import Graph, concat
from flowml.automl.features.means import Means
from flowml.automl.features.numbers import Numbers, Scaled
from flowml.automl.features.text import Words
from flowml.automl.features.words import WordMeans
from flowml.storage.records import Json

BLOCKS: dict[str, type[Any]] = {
    block.__name__: block
    for block in (Numbers, Scaled, Codes, Dummies, Means, DateParts, DateDummies, DateSpans, Words, WordMeans)
}


@dataclass(frozen=True)
class Encoding:
    """`supervised`: it learned from the target, so that each fold needs one of its own."""

    key: str
    blocks: tuple[Block, ...]
    supervised: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for block in self.blocks for name in block.names)

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw column, as the contract feeds it, that each feature was made of."""
        return tuple(name for block in self.blocks for name in block.sources)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """For each feature the number of its codes, 0 where it is a plain number."""
        return tuple(size for block in self.blocks for size in block.cardinalities)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Features that hold codes of categories: whole numbers from 0, never missing.

        Codes of a column that has means are plain numbers: sets of so many categories learn chance by heart.
        """
        taught = {name for block in self.blocks if isinstance(block, Means) for name in block.sources}
        each = enumerate(zip(self.cardinalities, self.sources, strict=True))
        return tuple(place for place, (size, source) in each if size and source not in taught)

    def transform(self, feeds: Feeds) -> Matrix:
        """The matrix of features, float32, row by row in memory."""
        matrix = np.empty((rows_of(feeds), len(self.names)), np.float32)
        start = 0
        for block in self.blocks:
            part = block.transform(feeds)
            matrix[:, start : start + part.shape[1]] = part
            start += part.shape[1]
        return matrix

    def build(self, graph: Graph) -> str:
        """Write the twin of `transform` into a graph; returns the tensor (rows, features), float32."""
        return concat(graph, [block.build(graph) for block in self.blocks])

    def to_dict(self) -> Json:
        blocks = [{"block": type(block).__name__, **block.to_dict()} for block in self.blocks]
        return {"key": self.key, "supervised": self.supervised, "blocks": blocks}

    @classmethod
    def from_dict(cls, values: Json) -> Self:
        blocks = tuple(BLOCKS[each["block"]].from_dict(each) for each in values["blocks"])
        return cls(values["key"], blocks, values["supervised"])
