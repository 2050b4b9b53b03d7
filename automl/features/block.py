"""A block: a few features made of a few raw columns, in Python and as ONNX operators, bit-equal."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from flowml.automl.contract import Feeds
from flowml.automl.features.graph import Graph
from flowml.storage.records import Json

Matrix = npt.NDArray[np.float32]
Vector = npt.NDArray[Any]


class Block(Protocol):
    @property
    def names(self) -> tuple[str, ...]:
        """One name for each feature."""
        ...

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw column that each feature was made of; of two dates the second."""
        ...

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """For each feature the number of its codes, 0 where it is a plain number."""
        ...

    def transform(self, feeds: Feeds) -> Matrix: ...

    def build(self, graph: Graph) -> str:
        """Write the same features into a graph; returns the tensor of shape (rows, features)."""
        ...

    def to_dict(self) -> Json: ...

    @classmethod
    def from_dict(cls, values: Json) -> Self: ...


def stack(feeds: Feeds, names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Numbers of several columns side by side."""
    return np.concatenate([feeds[name] for name in names], axis=1)
