"""LINKS: from the raw scores of members to what is blended, in Python and as ONNX operators.

A group of members with one link goes through it together, in double: scores (rows, members, outputs) in, and
out come the probability of the second class (binary), of every class, or the value. Of two probabilities only
the second one is kept, as the first is what remains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowml.automl.features.graph import Graph

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Link:
    """One row of LINKS. Both functions keep the shape of the scores."""

    key: str
    apply: Callable[[Floats], Floats]
    build: Callable[[Graph, str], str]


def _sigmoid(raw: Floats) -> Floats:
    probability: Floats = 0.5 * (1.0 + np.tanh(0.5 * raw))  # does not overflow
    return probability


def _softmax(raw: Floats) -> Floats:
    shifted = np.exp(raw - raw.max(axis=-1, keepdims=True))
    probabilities: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return probabilities


def _expm1(raw: Floats) -> Floats:
    """Infinite beyond what a double holds, as in a graph."""
    with np.errstate(over="ignore"):
        value: Floats = np.expm1(raw)
    return value


def _build_expm1(graph: Graph, raw: str) -> str:
    return graph.op("Sub", graph.op("Exp", raw), graph.constant(1.0, np.float64))


_ROWS = (
    Link("sigmoid", _sigmoid, lambda graph, raw: graph.op("Sigmoid", raw)),
    Link("softmax", _softmax, lambda graph, raw: graph.op("Softmax", raw, axis=-1)),
    Link("probability", lambda raw: raw, lambda _, raw: raw),
    Link("identity", lambda raw: raw, lambda _, raw: raw),
    Link("expm1", _expm1, _build_expm1),
)
LINKS = {row.key: row for row in _ROWS}


def apply_link(key: str, raw: Floats) -> Floats:
    """Raw scores of one model (rows, outputs) to its prediction, two columns for a sigmoid."""
    linked = LINKS[key].apply(raw)
    return np.concatenate([1.0 - linked, linked], axis=1) if key == "sigmoid" else linked
