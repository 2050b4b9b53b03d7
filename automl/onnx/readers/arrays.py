"""Formats that are arrays already: trees of scikit-learn, linear models, constants."""

from __future__ import annotations

import numpy as np

from flowml.automl.fitted import Arrays, Fitted, unpack
from flowml.automl.onnx.forest import IN, LEQ, Forest, Planter, numbered
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
    sets = _sets_of_trees(arrays)
    for tree, target in enumerate(targets.tolist()):
        nodes = slice(arrays["offsets"][tree], arrays["offsets"][tree + 1])
        _plant(planter, arrays, nodes, max(target, 0), sets.get(tree, {}))
    return planter.forest()


def _sets_of_trees(arrays: Arrays) -> dict[int, dict[int, list[int]]]:
    """For each tree that has such, nodes inside the tree and their codes."""
    found: dict[int, dict[int, list[int]]] = {}
    if "set_node" not in arrays:  # written before trees could ask for sets
        return found
    trees = np.searchsorted(arrays["offsets"], arrays["set_node"], side="right") - 1
    inside = arrays["set_node"] - arrays["offsets"][trees]
    codes = np.split(arrays["set_codes"], arrays["set_offsets"][1:-1])
    for tree, node, own in zip(trees.tolist(), inside.tolist(), codes, strict=False):
        found.setdefault(tree, {})[node] = own.tolist()
    return found


def _plant(planter: Planter, arrays: Arrays, nodes: slice, target: int, sets: dict[int, list[int]]) -> None:
    left, right = arrays["left"][nodes], arrays["right"][nodes]
    split = left >= 0
    number = numbered(split)
    mode = np.full(len(left), LEQ, np.uint8)
    mode[list(sets)] = IN
    planter.plant(
        feature=arrays["feature"][nodes][split],
        threshold=arrays["threshold"][nodes][split],
        yes=number[left[split]],
        no=number[right[split]],
        missing_yes=arrays["missing_left"][nodes][split],
        values=arrays["value"][nodes][~split],
        target=target,
        mode=mode[split],
        sets={int(number[node]): codes for node, codes in sets.items()},
    )
