"""The whole champion as one graph: raw columns, features, every fold's model, blend, label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from flowml.automl.contract import Contract, Feeds, rows_of
from flowml.automl.features.graph import ML
from flowml.automl.onnx import native
from flowml.automl.onnx.forest import Floats, Matrix
from flowml.automl.onnx.graph import Graph
from flowml.automl.onnx.metadata import to_texts
from flowml.automl.onnx.mixture import Member, mix, used
from flowml.automl.onnx.steps import Step, temper
from flowml.automl.stack import Stack
from flowml.storage.records import Task

Seen = Callable[[Member, Floats], None]
Across = Callable[[Callable[[Member], Floats], Sequence[Member]], Iterable[Floats]]

LICENCE = "Belongs to those who trained it. Made with FlowML Studio."


def build(
    contract: Contract,
    members: Sequence[Member],
    metadata: Mapping[str, Any] | None = None,
    *,
    steps: Sequence[Step] = (),
    threshold: float | None = None,
    stack: Stack | None = None,
) -> bytes:
    """Write members as one ONNX model; with a stack on top of their trials, if there is one.

    Outputs are `label` (text) and `probabilities` (float32, in the order of the contract's classes), or
    `prediction` (double). Metadata are named without their prefix; what the contract knows is added.
    `threshold`: probability of the second class from which a binary answer is the second label.
    """
    graph = Graph(contract)
    value = mix(graph, contract, members, stack)
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
    contract: Contract,
    members: Sequence[Member],
    feeds: Feeds,
    *,
    steps: Sequence[Step] = (),
    stack: Stack | None = None,
    seen: Seen = lambda _member, _prediction: None,
    across: Across = map,
) -> Floats:
    """What `build` should predict, counted in Python by the libraries that trained the members.

    `seen` is told what each of them predicts. `across` may be the `map` of a pool of threads.
    """
    blank = np.zeros((rows_of(feeds), len(contract.classes) or 1))
    trials = dict[int, list[Floats]]()
    total, kept = blank, used(members, stack)
    encodings = {id(member.encoding): member.encoding for member in kept}
    matrices = {key: encoding.transform(feeds) for key, encoding in encodings.items()}
    predictions = across(lambda member: _tempered(member, matrices[id(member.encoding)]), kept)
    for member, prediction in zip(kept, predictions, strict=True):
        seen(member, prediction)
        total = total + prediction * member.weight
        if stack is not None:
            trials.setdefault(member.trial, []).append(prediction)
    if stack is not None:
        parts = np.stack([np.mean(trials[place], axis=0) for place in sorted(trials)])
        plain = contract.task is Task.REGRESSION
        mixed = stack.mixed(
            total[:, 0] if plain else total, parts[:, :, 0] if plain else parts, contract.task
        )
        total = mixed.reshape(blank.shape)
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
