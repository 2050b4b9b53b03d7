"""The whole champion as one graph: raw columns, features, every fold's model, blend, label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx

from flowml.automl.contract import Contract, Feeds, rows_of
from flowml.automl.features import Encoding
from flowml.automl.features.graph import ML, concat
from flowml.automl.fitted import Fitted
from flowml.automl.onnx import native
from flowml.automl.onnx.forest import Floats, Matrix
from flowml.automl.onnx.graph import Graph
from flowml.automl.onnx.links import LINKS
from flowml.automl.onnx.metadata import to_texts
from flowml.automl.onnx.parts import Part, Scores, pick
from flowml.automl.onnx.readers import read
from flowml.automl.onnx.steps import Step, build_temper, temper
from flowml.storage.errors import ExportError
from flowml.storage.records import Task

LICENCE = "Belongs to those who trained it. Made with FlowML Studio."


@dataclass(frozen=True)
class Member:
    """One fitted model (of one fold) with the encoding that it learned from and its share in the blend.

    Its probabilities are softened by a temperature above 1, and sharpened by one below.
    """

    encoding: Encoding
    fitted: Fitted
    weight: float = 1.0
    temperature: float = 1.0


def build(
    contract: Contract,
    members: Sequence[Member],
    metadata: Mapping[str, Any] | None = None,
    *,
    steps: Sequence[Step] = (),
    threshold: float | None = None,
) -> bytes:
    """Write members as one ONNX model.

    Outputs are `label` (text) and `probabilities` (float32, in the order of the contract's classes), or
    `prediction` (double). Metadata are named without their prefix; what the contract knows is added.
    `threshold`: probability of the second class from which a binary answer is the second label.
    """
    graph = Graph(contract)
    value = _blend(graph, contract, _used(members))
    columns = 1 if contract.task is not Task.MULTICLASS else len(contract.classes)
    for step in steps:
        value = step.build(graph, value, columns)
    if contract.task is Task.REGRESSION:
        flat = graph.op("Reshape", value, graph.constant([-1], np.int64))
        graph.output("prediction", flat, onnx.TensorProto.DOUBLE, [None])
    else:
        _answer_classes(graph, contract, value, threshold)
    return graph.model(to_texts(_described(contract, metadata, threshold)))


def expected(
    contract: Contract, members: Sequence[Member], feeds: Feeds, *, steps: Sequence[Step] = ()
) -> Floats:
    """What `build` should predict, counted in Python by the libraries that trained the members."""
    total = np.zeros((rows_of(feeds), len(contract.classes) or 1))
    matrices = dict[int, Matrix]()
    for member in _used(members):
        if id(member.encoding) not in matrices:
            matrices[id(member.encoding)] = member.encoding.transform(feeds)
        total += _tempered(member, matrices[id(member.encoding)]) * member.weight
    values = total[:, 1:] if contract.task is Task.BINARY else total
    for step in steps:
        values = step.apply(values)
    if contract.task is Task.BINARY:
        return np.concatenate([1 - values, values], axis=1)
    return values[:, 0] if contract.task is Task.REGRESSION else values


def _tempered(member: Member, matrix: Matrix) -> Floats:
    prediction = native.predict(member.fitted, matrix)
    if member.temperature == 1.0:
        return prediction
    if prediction.shape[1] != 2:
        return temper(prediction, member.temperature)
    second = temper(prediction[:, 1:], member.temperature)
    return np.concatenate([1.0 - second, second], axis=1)


def labels(contract: Contract, probabilities: Floats, threshold: float | None = None) -> list[str]:
    """The labels that belong to probabilities."""
    if threshold is not None:
        chosen = (probabilities[:, 1] >= threshold).astype(np.int64)
    else:
        chosen = probabilities.astype(np.float32).argmax(axis=1)
    return [contract.classes[place] for place in chosen.tolist()]


def _used(members: Sequence[Member]) -> list[Member]:
    """Members with a share, their weights summing to 1."""
    used = [member for member in members if member.weight]
    total = sum(member.weight for member in used)
    if not used or not np.isfinite(total) or any(member.weight < 0 for member in used):
        raise ExportError(
            f"The weights {[member.weight for member in members]} of the members make no blend.",
            "Give each a weight of 0 or more, and one of them more than 0.",
        )
    return [replace(member, weight=member.weight / total) for member in used]


# --- blend ------------------------------------------------------------------------------------------------


def _blend(graph: Graph, contract: Contract, members: list[Member]) -> str:
    """Members with the same link go through it side by side."""
    encoded: dict[int, str] = {}
    groups: dict[tuple[str, int, bool], list[_Scored]] = {}
    for member in members:
        width = len(member.encoding.names)
        if id(member.encoding) not in encoded:
            encoded[id(member.encoding)] = member.encoding.build(graph)
        part = _fit_for(contract, member.fitted, read(member.fitted, width))
        scores = part.build(graph, encoded[id(member.encoding)], width)
        key = (member.fitted.link, part.n_outputs, member.temperature != 1.0)
        groups.setdefault(key, []).append(_Scored(scores, member.weight, member.temperature))
    blends = [
        _blend_group(graph, contract, link, outputs, group) for (link, outputs, _), group in groups.items()
    ]
    return blends[0] if len(blends) == 1 else graph.op("Sum", *blends)


@dataclass(frozen=True)
class _Scored:
    """The raw scores of a member in the graph."""

    scores: Scores
    weight: float
    temperature: float


def _fit_for(contract: Contract, fitted: Fitted, part: Part) -> Part:
    """Of two plain probabilities the second is enough."""
    wanted = len(contract.classes) or 1
    outputs = 2 if fitted.link == "sigmoid" else part.n_outputs
    if outputs != wanted:
        raise ExportError(
            f"A {fitted.format} model predicts {outputs} values, the contract says {wanted}.",
            "Train all members on the same target.",
        )
    return part.only(1) if fitted.link == "probability" and contract.task is Task.BINARY else part


def _blend_group(graph: Graph, contract: Contract, link: str, outputs: int, group: list[_Scored]) -> str:
    """Scores (rows, outputs) of each member to one weighted sum (rows, outputs)."""
    group = sorted(group, key=lambda each: each.scores.dtype is np.float64)  # all of float32 come first
    stacked = graph.op(
        "Reshape", _side_by_side(graph, group), graph.constant([0, len(group), outputs], np.int64)
    )
    stacked = graph.op("Add", stacked, graph.constant([each.scores.base for each in group], np.float64))
    linked = LINKS[link].build(graph, stacked)
    temperatures = [[each.temperature] for each in group]
    if any(temperature != [1.0] for temperature in temperatures):
        linked = build_temper(graph, linked, outputs, temperatures)
    weights = graph.constant([[each.weight] for each in group], np.float64)
    blend = graph.op("ReduceSum", graph.op("Mul", linked, weights), graph.constant([1], np.int64), keepdims=0)
    return pick(graph, blend, [1]) if contract.task is Task.BINARY and outputs == 2 else blend


def _side_by_side(graph: Graph, group: list[_Scored]) -> str:
    """One double tensor (rows, members times outputs)."""
    single = [each.scores.name for each in group if each.scores.dtype is np.float32]
    double = [each.scores.name for each in group if each.scores.dtype is np.float64]
    parts = ([graph.cast(concat(graph, single), np.float64)] if single else []) + double
    return concat(graph, parts)


# --- answers ----------------------------------------------------------------------------------------------


def _answer_classes(graph: Graph, contract: Contract, value: str, threshold: float | None) -> None:
    if contract.task is Task.BINARY:
        first = graph.op("Sub", graph.constant(1.0, np.float64), value)
        probabilities = graph.op("Concat", first, value, axis=1)
    else:
        probabilities = value
    single = graph.cast(probabilities, np.float32)
    if threshold is None:
        place = graph.op("ArgMax", single, axis=1, keepdims=0)
    else:
        reached = graph.op("GreaterOrEqual", value, graph.constant(threshold, np.float64))
        place = graph.op("Reshape", graph.cast(reached, np.int64), graph.constant([-1], np.int64))
    label = graph.op(
        "LabelEncoder",
        place,
        domain=ML,
        keys_int64s=list(range(len(contract.classes))),
        values_strings=list(contract.classes),
        default_string="",
    )
    graph.output("label", label, onnx.TensorProto.STRING, [None])
    graph.output("probabilities", single, onnx.TensorProto.FLOAT, [None, len(contract.classes)])


def _described(
    contract: Contract, metadata: Mapping[str, Any] | None, threshold: float | None
) -> dict[str, Any]:
    return {
        "contract": contract.to_dict(),
        "task": contract.task.value,
        "classes": list(contract.classes),
        "metric": contract.metric,
        "licence": LICENCE,
        **({} if threshold is None else {"threshold": threshold}),
        **(metadata or {}),
    }
