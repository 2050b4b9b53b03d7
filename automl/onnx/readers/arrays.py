"""Formats that are arrays already: trees of scikit-learn, linear models, constants."""

from __future__ import annotations

import numpy as np

from flowml.automl.fitted import Arrays, Fitted, unpack
from flowml.automl.onnx.forest import Forest, Planter, numbered
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
    for tree, target in enumerate(targets.tolist()):
        _plant(planter, arrays, slice(arrays["offsets"][tree], arrays["offsets"][tree + 1]), max(target, 0))
    return planter.forest()


def _plant(planter: Planter, arrays: Arrays, nodes: slice, target: int) -> None:
    left, right = arrays["left"][nodes], arrays["right"][nodes]
    split = left >= 0
    number = numbered(split)
    planter.plant(
        feature=arrays["feature"][nodes][split],
        threshold=arrays["threshold"][nodes][split],
        yes=number[left[split]],
        no=number[right[split]],
        missing_yes=arrays["missing_left"][nodes][split],
        values=arrays["value"][nodes][~split],
        target=target,
    )
