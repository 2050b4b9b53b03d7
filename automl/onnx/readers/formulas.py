"""Models that are a formula over arrays: each written with plain operators, in double, as its twin counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flowml.automl.algorithms import neighbors as balls
from flowml.automl.algorithms.squash import FURTHEST
from flowml.automl.fitted import Arrays, Fitted, unpack
from flowml.automl.onnx.graph import Graph
from flowml.automl.onnx.parts import Scores, pick

Write = Callable[[Graph, str, Arrays], str]  # features to raw scores (rows, outputs), double


@dataclass(frozen=True)
class Formula:
    """A part of a champion."""

    arrays: Arrays
    write: Write
    n_outputs: int
    column: int | None = None

    def only(self, output: int) -> Formula:
        return Formula(self.arrays, self.write, 1, output)

    def build(self, graph: Graph, features: str, width: int) -> Scores:  # noqa: ARG002
        scores = self.write(graph, features, self.arrays)
        if self.column is not None:
            scores = pick(graph, scores, [self.column])
        return Scores(scores, np.float64, np.zeros(self.n_outputs))


def read(fitted: Fitted, write: Write) -> Formula:
    return Formula(unpack(fitted.content), write, fitted.n_outputs)


def kernel(graph: Graph, features: str, arrays: Arrays) -> str:
    """The twin of `algorithms.kernel.raw_scores`."""
    Z = _squashed(graph, features, arrays)
    distances = _distances(graph, Z, arrays["vectors"])
    kernels = graph.op("Exp", graph.op("Mul", distances, graph.constant(-arrays["gamma"], np.float64)))
    return _affine(graph, kernels, arrays["coef"], arrays["intercept"])


def neighbors(graph: Graph, features: str, arrays: Arrays) -> str:
    """The twin of `algorithms.neighbors.raw_scores`."""
    Z = graph.op("Mul", _squashed(graph, features, arrays), _double(graph, arrays["stretch"]))
    distances = _distances(graph, Z, arrays["vectors"])
    ones, zero = graph.constant([1], np.int64), graph.constant(0.0, np.float64)
    k = graph.constant([int(arrays["k"])], np.int64)
    nearest, _ = graph.ops("TopK", distances, k, outputs=2, axis=1, largest=0, sorted=0)
    farthest = graph.op("Max", graph.op("ReduceMax", nearest, ones, keepdims=1), zero)
    reach = graph.op("Mul", farthest, graph.constant(balls.REACH, np.float64))
    reach = graph.op("Add", reach, graph.constant(arrays["least_reach"], np.float64))
    inside = graph.op("Div", graph.op("Max", graph.op("Sub", reach, distances), zero), reach)
    near = graph.op("Mul", inside, _double(graph, arrays["shares"]))
    strength = arrays["strength"].astype(np.float64)
    total = graph.op("ReduceSum", near, ones, keepdims=1)
    total = graph.op("Add", total, graph.constant(strength, np.float64))
    answers = graph.cast(graph.constant(arrays["answers"], arrays["answers"].dtype), np.float64)
    prior = graph.constant(strength * arrays["prior"], np.float64)
    mean = graph.op("Div", graph.op("Add", graph.op("MatMul", near, answers), prior), total)
    scaled = graph.op("Mul", mean, graph.constant(arrays["spread"], np.float64))
    return graph.op("Add", scaled, graph.constant(arrays["middle"], np.float64))


def quadratic(graph: Graph, features: str, arrays: Arrays) -> str:
    """The twin of `algorithms.bayes.raw_scores`."""
    Z = _squashed(graph, features, arrays)
    curved = graph.op("MatMul", graph.op("Mul", Z, Z), _double(graph, arrays["curve"]))
    return graph.op("Add", curved, _affine(graph, Z, arrays["slope"], arrays["intercept"]))


def _distances(graph: Graph, Z: str, vectors: np.ndarray) -> str:
    """Squared, of each row to each vector."""
    squares = graph.constant((vectors.astype(np.float64) ** 2).sum(axis=1)[None], np.float64)
    own = graph.op("ReduceSum", graph.op("Mul", Z, Z), graph.constant([1], np.int64), keepdims=1)
    product = graph.op("MatMul", Z, _double(graph, vectors.T))
    twice = graph.op("Mul", product, graph.constant(2.0, np.float64))
    return graph.op("Sub", graph.op("Add", own, squares), twice)


def _squashed(graph: Graph, features: str, arrays: Arrays) -> str:
    return squashed(graph, features, arrays["center"], arrays["scale"])


def squashed(graph: Graph, features: str, center: np.ndarray, scale: np.ndarray) -> str:
    """The twin of `algorithms.squash.apply`, in double."""
    centred = graph.op("Sub", graph.cast(features, np.float64), graph.constant(center, np.float64))
    z = graph.op("Mul", centred, graph.constant(scale, np.float64))
    limit, one = graph.constant(FURTHEST**2, np.float64), graph.constant(1.0, np.float64)
    root = graph.op("Sqrt", graph.op("Add", one, graph.op("Div", graph.op("Mul", z, z), limit)))
    return graph.op("Div", z, root)


def _double(graph: Graph, values: np.ndarray) -> str:
    """A large constant that stays float32 in the file."""
    return graph.cast(graph.constant(values, np.float32), np.float64)


def _affine(graph: Graph, values: str, coef: np.ndarray, intercept: np.ndarray) -> str:
    product = graph.op("MatMul", values, _double(graph, coef))
    return graph.op("Add", product, graph.constant(intercept, np.float64))
