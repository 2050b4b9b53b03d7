"""What an encoding needs of an ONNX graph to write its twin into it. `onnx.graph.Graph` provides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

ML = "ai.onnx.ml"  # domain of the operators for classic machine learning


class Graph(Protocol):
    """The raw columns are there already: each is a tensor of shape (rows, 1), named as in the feeds."""

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike) -> str: ...

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add an operator with one output and return the output's name."""
        ...

    def ops(
        self, kind: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any
    ) -> tuple[str, ...]:
        """Add an operator with several outputs and return their names."""
        ...

    def cast(self, value: str, dtype: npt.DTypeLike) -> str: ...


def concat(graph: Graph, parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1)


@dataclass(frozen=True)
class Tensor:
    """A tensor of whole numbers that can be counted with as an array of numpy can."""

    graph: Graph
    name: str

    def __add__(self, other: Tensor | int) -> Tensor:
        return self._with("Add", other)

    def __sub__(self, other: Tensor | int) -> Tensor:
        return self._with("Sub", other)

    def __mul__(self, other: Tensor | int) -> Tensor:
        return self._with("Mul", other)

    def __floordiv__(self, other: Tensor | int) -> Tensor:
        """As in numpy where both are positive."""
        return self._with("Div", other)

    def __mod__(self, other: Tensor | int) -> Tensor:
        return self._with("Mod", other)

    def __le__(self, other: Tensor | int) -> Tensor:
        """1 where it holds, else 0."""
        return Tensor(self.graph, self.graph.cast(self._with("LessOrEqual", other).name, np.int64))

    def _with(self, kind: str, other: Tensor | int) -> Tensor:
        name = other.name if isinstance(other, Tensor) else self.graph.constant(other, np.int64)
        return Tensor(self.graph, self.graph.op(kind, self.name, name))
