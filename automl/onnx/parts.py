"""Parts of a champion: whatever turns a matrix of features into raw scores, in Python and in a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from flowml.automl.onnx.forest import Floats, Matrix
from flowml.automl.onnx.graph import Graph


@dataclass(frozen=True)
class Scores:
    """Raw scores (rows, outputs) in a graph, to which a base is still to be added, in double."""

    name: str
    dtype: type[np.float32] | type[np.float64]
    base: Floats  # (outputs,)


class Part(Protocol):
    @property
    def n_outputs(self) -> int: ...

    def only(self, output: int) -> Part:
        """The same part for one of its outputs."""
        ...

    def build(self, graph: Graph, features: str, width: int) -> Scores:
        """Write the part into a graph: features are float32 (rows, width)."""
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

    def build(self, graph: Graph, features: str, width: int) -> Scores:  # noqa: ARG002
        product = graph.op("MatMul", graph.cast(features, np.float64), graph.constant(self.coef, np.float64))
        return Scores(product, np.float64, self.intercept)


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

    def build(self, graph: Graph, features: str, width: int) -> Scores:  # noqa: ARG002
        return Scores(zeros(graph, features, self.n_outputs), np.float32, self.value)


@dataclass(frozen=True)
class Pasted:
    """A converted model of another maker: one float32 matrix in, one score matrix out."""

    model: Any
    output: str
    n_outputs: int
    column: int | None = None

    def only(self, output: int) -> Pasted:
        return Pasted(self.model, self.output, 1, output)

    def build(self, graph: Graph, features: str, width: int) -> Scores:  # noqa: ARG002
        names = graph.paste(self.model, {self.model.graph.input[0].name: features})
        scores = graph.op("Reshape", names[self.output], graph.constant([0, -1], np.int64))
        if self.column is not None:
            scores = pick(graph, scores, [self.column])
        return Scores(graph.cast(scores, np.float32), np.float32, np.zeros(self.n_outputs))


def zeros(graph: Graph, features: str, outputs: int) -> str:
    """Float32 (rows, outputs)."""
    rows = graph.op("Shape", features, start=0, end=1)
    shape = graph.op("Concat", rows, graph.constant([outputs], np.int64), axis=0)
    return graph.op("Expand", graph.constant([[0.0]], np.float32), shape)


def pick(graph: Graph, values: str, columns: npt.ArrayLike) -> str:
    return graph.op("Gather", values, graph.constant(columns, np.int64), axis=1)
