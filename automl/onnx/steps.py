"""STEPS: what may happen to the blend before it is answered, in Python and as ONNX operators.

Values are double: (rows, 1) holds the probability of the second class, or a number; (rows, classes) all
probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flowml.automl.features.graph import Graph
from flowml.automl.onnx.links import LINKS
from flowml.storage.records import Json, Record

Floats = npt.NDArray[np.float64]
LEAST = (
    1e-6  # probabilities are kept so far from 0 and 1 before their logarithm is taken: rounding is far below
)


@dataclass(frozen=True)
class Step(Record):
    kind: str
    params: Json = field(default_factory=dict)

    def apply(self, values: Floats) -> Floats:
        return STEPS[self.kind].apply(values, self.params)

    def build(self, graph: Graph, values: str, columns: int) -> str:
        return STEPS[self.kind].build(graph, values, columns, self.params)


@dataclass(frozen=True)
class StepKind:
    """One row of STEPS."""

    kind: str
    help: str
    apply: Callable[[Floats, Json], Floats]
    build: Callable[[Graph, str, int, Json], str]


def _constant(graph: Graph, value: npt.ArrayLike) -> str:
    return graph.constant(value, np.float64)


# --- temperature ------------------------------------------------------------------------------------------


def temper(values: Floats, temperature: float) -> Floats:
    """Probabilities (rows, columns), less sure by a temperature above 1; one column is the second class."""
    inside = np.clip(values, LEAST, 1 - LEAST)
    logs = np.log(inside) if values.shape[1] > 1 else np.log(inside) - np.log(1 - inside)
    return LINKS["softmax" if values.shape[1] > 1 else "sigmoid"].apply(logs / temperature)


def build_temper(graph: Graph, values: str, columns: int, temperatures: npt.ArrayLike) -> str:
    """The twin of `temper`, for tensors whose last axis has the columns; one temperature or several."""
    inside = graph.op("Clip", values, _constant(graph, LEAST), _constant(graph, 1 - LEAST))
    logs = graph.op("Log", inside)
    if columns == 1:
        logs = graph.op("Sub", logs, graph.op("Log", graph.op("Sub", _constant(graph, 1.0), inside)))
    cooled = graph.op("Div", logs, _constant(graph, temperatures))
    return LINKS["softmax" if columns > 1 else "sigmoid"].build(graph, cooled)


def _temper(values: Floats, params: Json) -> Floats:
    return temper(values, params["temperature"])


def _build_temper(graph: Graph, values: str, columns: int, params: Json) -> str:
    return build_temper(graph, values, columns, params["temperature"])


# --- isotonic ---------------------------------------------------------------------------------------------


def _interpolate(values: Floats, params: Json) -> Floats:
    line: Floats = np.interp(values, params["x"], params["y"])
    return line


def _build_interpolate(graph: Graph, values: str, columns: int, params: Json) -> str:  # noqa: ARG001
    """Between two neighbours of a rising line of points; flat outside."""
    x, y = np.asarray(params["x"], np.float64), np.asarray(params["y"], np.float64)
    if len(x) < 2:
        return graph.op("Add", graph.op("Mul", values, _constant(graph, 0.0)), _constant(graph, y[0]))
    inside = graph.op("Clip", values, _constant(graph, x[0]), _constant(graph, x[-1]))
    passed = graph.cast(graph.op("GreaterOrEqual", inside, _constant(graph, x[None, 1:-1])), np.int64)
    segment = graph.op("ReduceSum", passed, graph.constant([1], np.int64), keepdims=1)
    left, start, slope = (
        graph.op("Gather", _constant(graph, points), segment)
        for points in (x[:-1], y[:-1], np.diff(y) / np.diff(x))
    )
    return graph.op("Add", start, graph.op("Mul", graph.op("Sub", inside, left), slope))


# --- numbers ----------------------------------------------------------------------------------------------


def _build_scale(graph: Graph, values: str, columns: int, params: Json) -> str:  # noqa: ARG001
    stretched = graph.op("Mul", values, _constant(graph, params["factor"]))
    return graph.op("Add", stretched, _constant(graph, params["offset"]))


def _build_limits(graph: Graph, values: str, columns: int, params: Json) -> str:  # noqa: ARG001
    return graph.op("Clip", values, _constant(graph, params["low"]), _constant(graph, params["high"]))


_ROWS = (
    StepKind("temperature", "soften or sharpen probabilities: {temperature}", _temper, _build_temper),
    StepKind("isotonic", "a rising line for the second class: {x, y}", _interpolate, _build_interpolate),
    StepKind(
        "scale",
        "back to the target's own scale: {factor, offset}",
        lambda values, params: values * params["factor"] + params["offset"],
        _build_scale,
    ),
    StepKind(
        "expm1",
        "back from a blend of logarithms",
        lambda values, _: np.expm1(values),
        lambda graph, values, *_: LINKS["expm1"].build(graph, values),
    ),
    StepKind(
        "limits",
        "no further than training went: {low, high}",
        lambda values, params: np.clip(values, params["low"], params["high"]),
        _build_limits,
    ),
)
STEPS = {row.kind: row for row in _ROWS}
