"""Parts of a champion: whatever turns a matrix of features into raw scores, in Python and in a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from flowml.automl.onnx.forest import Floats, Matrix
from flowml.automl.onnx.graph import Graph


class Part(Protocol):
    @property
    def n_outputs(self) -> int: ...

    def only(self, output: int) -> Part:
        """The same part for one of its outputs."""
        ...

    def build(self, graph: Graph, features: str, width: int) -> str:
        """Write the part into a graph: float32 (rows, width) in, double (rows, outputs) out."""
        ...


@dataclass(frozen=True)
class Linear:
    """Counted in double, as the features of wild rows may be large."""

    coef: Floats  # (features, outputs)
    intercept: Floats  # (outputs,)

    @property
    def n_outputs(self) -> int:
        return len(self.intercept)

    def only(self, output: int) -> Linear:
        kept = slice(output, output + 1)
        return Linear(self.coef[:, kept], self.intercept[kept])

    def raw(self, X: Matrix) -> Floats:
        scores: Floats = X.astype(np.float64) @ self.coef + self.intercept
        return scores

    def build(self, graph: Graph, features: str, width: int) -> str:  # noqa: ARG002
        product = graph.op("MatMul", graph.cast(features, np.float64), graph.constant(self.coef, np.float64))
        return graph.op("Add", product, graph.constant(self.intercept, np.float64))


@dataclass(frozen=True)
class Constant:
    value: Floats  # (outputs,)

    @property
    def n_outputs(self) -> int:
        return len(self.value)

    def only(self, output: int) -> Constant:
        return Constant(self.value[output : output + 1])

    def raw(self, X: Matrix) -> Floats:
        return np.tile(self.value, (len(X), 1))

    def build(self, graph: Graph, features: str, width: int) -> str:  # noqa: ARG002
        rows = graph.op("Shape", features, start=0, end=1)
        shape = graph.op("Concat", rows, graph.constant([self.n_outputs], np.int64), axis=0)
        return graph.op("Expand", graph.constant(self.value[None, :], np.float64), shape)


@dataclass(frozen=True)
class Pasted:
    """A converted model of another maker: one float32 matrix in, one score matrix out."""

    model: Any
    output: str
    n_outputs: int
    column: int | None = None

    def only(self, output: int) -> Pasted:
        return Pasted(self.model, self.output, 1, output)

    def build(self, graph: Graph, features: str, width: int) -> str:  # noqa: ARG002
        names = graph.paste(self.model, {self.model.graph.input[0].name: features})
        shape = graph.constant([0, -1], np.int64)
        scores = graph.cast(graph.op("Reshape", names[self.output], shape), np.float64)
        return scores if self.column is None else pick(graph, scores, [self.column])


def pick(graph: Graph, values: str, columns: npt.ArrayLike) -> str:
    return graph.op("Gather", values, graph.constant(columns, np.int64), axis=1)
