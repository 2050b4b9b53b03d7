"""Perceptrons in a graph: the fold models of one trial side by side, their inner values in float32.

For one row a network costs as much as it has operators: those of all folds take no more of them than those of
one. A product in float32 takes a quarter of the time of one in double. What enters is squashed: rounding
stays small, and scores are scaled in double.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flowml.automl.algorithms import perceptron
from flowml.automl.fitted import Arrays, Fitted, unpack
from flowml.automl.onnx.graph import Graph
from flowml.automl.onnx.parts import Scores
from flowml.automl.onnx.readers.formulas import squashed


@dataclass(frozen=True)
class Networks:
    """A part of a champion: the twin of `algorithms.perceptron.raw_scores`."""

    arrays: Arrays
    n_outputs: int
    column: int | None = None

    def only(self, output: int) -> Networks:
        return Networks(self.arrays, 1, output)

    @property
    def alike(self) -> tuple[object, ...]:
        """Parts of which this is equal can be built side by side."""
        shapes = tuple((name, part.shape) for name, part in sorted(self.arrays.items()))
        return shapes, self.arrays["waved"].tobytes(), self.n_outputs, self.column

    def build(self, graph: Graph, features: str, width: int) -> Scores:  # noqa: ARG002
        return build_alike(graph, [self], [features])


def read(fitted: Fitted) -> Networks:
    return Networks(unpack(fitted.content), fitted.n_outputs)


def build_alike(graph: Graph, parts: Sequence[Networks], features: Sequence[str]) -> Scores:
    """The scores (rows, parts times outputs) of parts that are alike, each with features of its own."""
    count, outputs = len(parts), parts[0].n_outputs
    scores = _scores(graph, [part.arrays for part in parts], features)  # (parts, rows, outputs)
    if parts[0].column is not None:
        scores = graph.op("Gather", scores, graph.constant([parts[0].column], np.int64), axis=2)
    flat = graph.constant([-1, count * outputs], np.int64)
    beside = graph.op("Reshape", graph.op("Transpose", scores, perm=[1, 0, 2]), flat)
    return Scores(beside, np.float64, np.zeros(count * outputs))


def _scores(graph: Graph, many: Sequence[Arrays], features: Sequence[str]) -> str:
    """(parts, rows, outputs), in double; within, the second axis numbers the networks of a part."""
    hidden = _inputs(graph, many, features)
    columns, layers = len(many[0]["center"]), perceptron.layers_of(many[0])
    first = _stacked(many, "weight0")
    direct = graph.op("Unsqueeze", hidden, graph.constant([1], np.int64))
    raw = graph.op("MatMul", direct, graph.constant(first[:, :, :columns], np.float32))
    if len(many[0]["waved"]):
        weight = graph.constant(first[:, :, columns:], np.float32)
        raw = graph.op("Add", raw, graph.op("MatMul", _waves(graph, many, hidden), weight))
    raw = graph.op("Add", raw, _constant(graph, many, "bias0"))
    for layer in range(1, layers + 1):
        gated = graph.op("Mul", raw, graph.op("Sigmoid", raw))
        product = graph.op("MatMul", gated, _constant(graph, many, f"weight{layer}"))
        raw = graph.op("Add", product, _constant(graph, many, f"bias{layer}"))
    mean = graph.cast(graph.op("ReduceMean", raw, graph.constant([1], np.int64), keepdims=0), np.float64)
    spread, middle = (
        graph.constant(_stacked(many, name)[:, None, None], np.float64) for name in ("spread", "middle")
    )
    return graph.op("Add", graph.op("Mul", mean, spread), middle)


def _inputs(graph: Graph, many: Sequence[Arrays], features: Sequence[str]) -> str:
    """Squashed features in float32 (parts, rows, columns), or (1, rows, columns) if all get the same."""
    center, scale = _stacked(many, "center")[:, None], _stacked(many, "scale")[:, None]
    if (center == center[0]).all() and (scale == scale[0]).all():
        center, scale = center[:1], scale[:1]
    names = features[:1] if len(set(features)) == 1 else features
    axis = graph.constant([0], np.int64)
    rows = [graph.op("Unsqueeze", name, axis) for name in names]
    stacked = rows[0] if len(rows) == 1 else graph.op("Concat", *rows, axis=0)
    return graph.cast(squashed(graph, stacked, center, scale), np.float32)


def _waves(graph: Graph, many: Sequence[Arrays], hidden: str) -> str:
    """(parts, networks, rows, waved columns times values)"""
    chosen = graph.op("Gather", hidden, graph.constant(many[0]["waved"], np.int64), axis=2)
    columns = graph.op(
        "Unsqueeze", graph.op("Transpose", chosen, perm=[0, 2, 1]), graph.constant([1, 4], np.int64)
    )
    turned = graph.op("Mul", columns, _constant(graph, many, "frequency"))
    angles = graph.op("Add", turned, _constant(graph, many, "phase"))
    product = graph.op("MatMul", graph.op("Cos", angles), _constant(graph, many, "mix"))
    mixed = graph.op("Add", product, _constant(graph, many, "mix_bias"))
    networks, waved, _, values = many[0]["mix"].shape
    flat = graph.constant([len(many), networks, -1, waved * values], np.int64)
    return graph.op("Reshape", graph.op("Transpose", mixed, perm=[0, 1, 3, 2, 4]), flat)


def _constant(graph: Graph, many: Sequence[Arrays], name: str) -> str:
    return graph.constant(_stacked(many, name), np.float32)


def _stacked(many: Sequence[Arrays], name: str) -> np.ndarray:
    return np.stack([arrays[name] for arrays in many])
