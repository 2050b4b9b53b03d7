"""Formats that are arrays already: trees of scikit-learn, linear models, constants."""

from __future__ import annotations

import numpy as np

from flowml.automl.fitted import Arrays, Fitted, unpack
from flowml.automl.onnx.forest import IN, LEQ, Forest, Planter, numbered, per_tree
from flowml.automl.onnx.parts import Constant, Linear
from flowml.automl.onnx.trees import Trees


def read_linear(fitted: Fitted) -> Linear:
    arrays = unpack(fitted.content)
    return Linear(arrays["coef"].astype(np.float64), arrays["intercept"].astype(np.float64))


def read_constant(fitted: Fitted) -> Constant:
    return Constant(unpack(fitted.content)["value"].astype(np.float64))


def read_trees(fitted: Fitted) -> Trees:
    return Trees(forest_of(unpack(fitted.content)))


def forest_of(arrays: Arrays) -> Forest:
    """Where `target` is -1 the leaves of all trees hold a value for each output."""
    outputs, targets = len(arrays["base"]), arrays["target"]
    planter = Planter(outputs, shared=bool(len(targets) and targets[0] < 0 and outputs > 1))
    planter.base += arrays["base"]
    split, nodes = arrays["left"] >= 0, np.diff(arrays["offsets"])
    first, number = np.repeat(arrays["offsets"][:-1], nodes), numbered(split, nodes)
    sets = _sets(arrays)
    mode = np.full(len(split), LEQ, np.uint8)
    mode[list(sets)] = IN
    place = np.cumsum(split) - 1
    planter.plant(
        feature=arrays["feature"][split],
        threshold=arrays["threshold"][split],
        yes=number[(first + arrays["left"])[split]],
        no=number[(first + arrays["right"])[split]],
        missing_yes=arrays["missing_left"][split],
        values=arrays["value"][~split],
        target=np.maximum(targets, 0),
        mode=mode[split],
        sets={int(place[node]): codes for node, codes in sets.items()},
        splits=per_tree(split, nodes),
    )
    return planter.forest()


def _sets(arrays: Arrays) -> dict[int, list[int]]:
    """Nodes that ask for a set, and its codes."""
    if "set_node" not in arrays:  # written before trees could ask for sets
        return {}
    codes = np.split(arrays["set_codes"], arrays["set_offsets"][1:-1])
    return {node: own.tolist() for node, own in zip(arrays["set_node"].tolist(), codes, strict=False)}
