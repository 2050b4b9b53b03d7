"""The members of a champion in one graph: each through its own link, then their mean or a stack on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from flowml.automl.contract import Contract
from flowml.automl.features import Encoding
from flowml.automl.features.graph import concat
from flowml.automl.fitted import Fitted
from flowml.automl.onnx.forest import Floats, Ints
from flowml.automl.onnx.graph import Graph
from flowml.automl.onnx.links import LINKS
from flowml.automl.onnx.parts import Part, Scores
from flowml.automl.onnx.readers import read
from flowml.automl.onnx.readers.networks import Networks, build_alike
from flowml.automl.onnx.steps import build_temper
from flowml.automl.stack import LEAST, Stack
from flowml.storage.errors import ExportError
from flowml.storage.records import Task


@dataclass(frozen=True)
class Witness:
    """What a fold model predicted in training, when it was still native to its library."""

    rows: Ints  # of the table
    predictions: Floats  # (rows, outputs)


@dataclass(frozen=True)
class Member:
    """One fitted model (of one fold) with the encoding that it learned from and its share in the blend.

    Its probabilities are softened by a temperature above 1, and sharpened by one below.
    """

    encoding: Encoding
    fitted: Fitted
    weight: float = 1.0
    temperature: float = 1.0
    trial: int = 0  # place of its trial in the blend: members of one trial are its folds
    witness: Witness | None = None  # what the gate compares it with, beside its own bytes


def mix(graph: Graph, contract: Contract, members: Sequence[Member], stack: Stack | None = None) -> str:
    """The tensor (rows, columns): the probability of the second class, of every class, or the value."""
    groups = _Groups(graph, contract, used(members, stack))
    if stack is None:
        blends = [
            _weighted(graph, linked, [each.weight for each in group]) for linked, group in groups.linked()
        ]
        return blends[0] if len(blends) == 1 else graph.op("Sum", *blends)
    return _stacked(graph, contract, groups, stack)


def used(members: Sequence[Member], stack: Stack | None = None) -> list[Member]:
    """Members with a share, their weights summing to 1; a stack uses all."""
    kept = [member for member in members if member.weight or stack is not None]
    total = sum(member.weight for member in kept)
    if not total or not np.isfinite(total) or any(member.weight < 0 for member in kept):
        raise ExportError(
            f"The weights {[member.weight for member in members]} of the members make no blend.",
            "Give each a weight of 0 or more, and one of them more than 0.",
        )
    return [replace(member, weight=member.weight / total) for member in kept]


# --- groups -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scored:
    """The raw scores of members in the graph: (rows, members times outputs)."""

    scores: Scores
    members: list[Member]


class _Groups:
    """Members with the same link go through it side by side."""

    def __init__(self, graph: Graph, contract: Contract, members: Sequence[Member]) -> None:
        self._graph, self._contract = graph, contract
        self._encoded: dict[int, str] = {}
        self._groups: dict[tuple[str, int, bool], list[_Scored]] = {}
        alike: dict[object, list[tuple[Member, Networks]]] = {}
        for member in members:
            width = len(member.encoding.names)
            part = _fit_for(contract, member.fitted, read(member.fitted, width))
            if isinstance(part, Networks):
                key = part.alike, member.fitted.link, member.temperature != 1.0
                alike.setdefault(key, []).append((member, part))
            else:
                self._add([member], part.n_outputs, part.build(graph, self._features(member), width))
        for pairs in alike.values():
            features = [self._features(member) for member, _ in pairs]
            scores = build_alike(graph, [part for _, part in pairs], features)
            self._add([member for member, _ in pairs], pairs[0][1].n_outputs, scores)

    def _features(self, member: Member) -> str:
        key = id(member.encoding)
        if key not in self._encoded:
            self._encoded[key] = member.encoding.build(self._graph)
        return self._encoded[key]

    def _add(self, members: list[Member], outputs: int, scores: Scores) -> None:
        key = (members[0].fitted.link, outputs, members[0].temperature != 1.0)
        self._groups.setdefault(key, []).append(_Scored(scores, members))

    def linked(self) -> list[tuple[str, list[Member]]]:
        """Of each group a tensor (rows, members, columns) of predictions, and the members in that order."""
        return [self._link(link, outputs, group) for (link, outputs, _), group in self._groups.items()]

    def _link(self, link: str, outputs: int, scored: list[_Scored]) -> tuple[str, list[Member]]:
        graph = self._graph
        scored = sorted(scored, key=lambda each: each.scores.dtype is np.float64)  # all of float32 come first
        group = [member for each in scored for member in each.members]
        stacked = graph.op(
            "Reshape", _side_by_side(graph, scored), graph.constant([0, len(group), outputs], np.int64)
        )
        bases = np.concatenate([each.scores.base for each in scored]).reshape(len(group), outputs)
        stacked = graph.op("Add", stacked, graph.constant(bases, np.float64))
        linked = LINKS[link].build(graph, stacked)
        temperatures = [[each.temperature] for each in group]
        if any(temperature != [1.0] for temperature in temperatures):
            linked = build_temper(graph, linked, outputs, temperatures)
        if self._contract.task is Task.BINARY and outputs == 2:
            linked = graph.op("Gather", linked, graph.constant([1], np.int64), axis=2)
        return linked, group


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


def _side_by_side(graph: Graph, scored: list[_Scored]) -> str:
    """One double tensor (rows, members times outputs)."""
    single = [each.scores.name for each in scored if each.scores.dtype is np.float32]
    double = [each.scores.name for each in scored if each.scores.dtype is np.float64]
    parts = ([graph.cast(concat(graph, single), np.float64)] if single else []) + double
    return concat(graph, parts)


def _weighted(graph: Graph, linked: str, weights: Sequence[float]) -> str:
    """The weighted sum (rows, columns) of (rows, members, columns)."""
    shares = graph.constant([[weight] for weight in weights], np.float64)
    return graph.op("ReduceSum", graph.op("Mul", linked, shares), graph.constant([1], np.int64), keepdims=0)


# --- stack ------------------------------------------------------------------------------------------------


def _stacked(graph: Graph, contract: Contract, groups: _Groups, stack: Stack) -> str:
    """The twin of Stack.mixed, of the means over the folds of each trial."""
    means, order, weights = [], list[int](), list[float]()
    for linked, group in groups.linked():
        trials = sorted({each.trial for each in group})
        member_of = np.array([[each.trial == trial for each in group] for trial in trials], np.float64)
        shares = member_of / member_of.sum(axis=1, keepdims=True)
        means.append(graph.op("MatMul", graph.constant(shares, np.float64), linked))
        order += trials
        weights += (member_of @ [each.weight for each in group]).tolist()
    parts = means[0] if len(means) == 1 else graph.op("Concat", *means, axis=1)
    columns = len(contract.classes) if contract.task is Task.MULTICLASS else 1
    features = graph.op(
        "Reshape", _features(graph, parts, contract.task), graph.constant([0, len(order) * columns], np.int64)
    )
    coef = np.asarray(stack.coef, np.float64).reshape(len(order), columns, -1)[order]
    raw = graph.op("MatMul", features, graph.constant(coef.reshape(len(order) * columns, -1), np.float64))
    raw = graph.op("Add", raw, graph.constant(stack.intercept, np.float64))
    link = {Task.BINARY: "sigmoid", Task.MULTICLASS: "softmax", Task.REGRESSION: "identity"}[contract.task]
    top = graph.op("Mul", LINKS[link].build(graph, raw), graph.constant(stack.share, np.float64))
    mean = _weighted(graph, parts, [weight * (1 - stack.share) for weight in weights])
    return graph.op("Add", top, mean)


def _features(graph: Graph, parts: str, task: Task) -> str:
    """The twin of stack.features, still (rows, trials, columns)."""
    if task is Task.REGRESSION:
        return parts
    low, high = (graph.constant(limit, np.float64) for limit in (LEAST, 1 - LEAST))
    inside = graph.op("Clip", parts, low, high)
    logs = graph.op("Log", inside)
    if task is Task.BINARY:
        rest = graph.op("Sub", graph.constant(1.0, np.float64), inside)
        return graph.op("Sub", logs, graph.op("Log", rest))
    middle = graph.op("ReduceMean", logs, graph.constant([2], np.int64), keepdims=1)
    return graph.op("Sub", logs, middle)
