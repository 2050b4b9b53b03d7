"""XGBoost's JSON. The base score is found on one row, as each version of the library keeps it elsewhere."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.automl.fitted import Fitted
from flowml.automl.onnx.forest import IN, LT, Planter, numbered, per_tree, starts
from flowml.automl.onnx.trees import Trees
from flowml.storage.errors import ExportError
from flowml.storage.records import Json

SET_SPLIT = 1  # split_type of a split of categories


def read(fitted: Fitted) -> Trees:
    learner = json.loads(_as_json(fitted.content))["learner"]
    booster = learner["gradient_booster"]
    weights = booster.get("weight_drop")
    trees = booster.get("gbtree", booster).get("model")
    if trees is None:
        raise ExportError("XGBoost's linear booster cannot be exported.", "Train with tree boosting.")
    weights = weights or trees.get("weight_drop")  # shrinks the trees of dart, since 3.3 inside the model
    planter = Planter(max(1, int(learner["learner_model_param"]["num_class"])))
    _plant(planter, trees["trees"], trees["tree_info"], weights or [1.0] * len(trees["trees"]))
    row = np.zeros((1, int(learner["learner_model_param"]["num_feature"])), np.float32)
    planter.base = _margin(fitted.content, row) - (planter.forest().raw(row)[0] - planter.base)
    return Trees(planter.forest())


def _as_json(content: bytes) -> bytes:
    if content.startswith(b'{"'):
        return content
    import xgboost

    return bytes(xgboost.Booster(model_file=bytearray(content)).save_raw("json"))


def _margin(content: bytes, row: np.ndarray) -> np.ndarray:
    import xgboost

    booster = xgboost.Booster({"nthread": 1, "device": "cpu"}, model_file=bytearray(content))
    margin = booster.inplace_predict(row, predict_type="margin", validate_features=False)
    return np.asarray(margin, np.float64).reshape(-1)


def _plant(planter: Planter, trees: list[Json], targets: list[int], weights: list[float]) -> None:
    nodes = [len(tree["left_children"]) for tree in trees]
    left, right = (_all(trees, name, np.int64) for name in ("left_children", "right_children"))
    condition = _all(trees, "split_conditions", np.float32).astype(np.float64)
    split = left >= 0
    number, first = numbered(split, nodes), np.repeat(starts(nodes), nodes)
    in_set = _all(trees, "split_type", np.int64)[split] == SET_SPLIT
    yes, no = number[(first + left)[split]], number[(first + right)[split]]
    default_left = _all(trees, "default_left", np.bool_)[split]
    planter.plant(
        feature=_all(trees, "split_indices", np.int64)[split],
        threshold=np.where(in_set, 0.0, condition[split]),
        yes=np.where(in_set, no, yes),  # members of a set go right
        no=np.where(in_set, yes, no),
        missing_yes=default_left ^ in_set,
        values=(condition * np.repeat(weights, nodes))[~split],
        target=targets,
        mode=np.where(in_set, IN, LT),
        sets=_sets(trees, starts(nodes), np.cumsum(split) - 1),
        splits=per_tree(split, nodes),
    )


def _all(trees: list[Json], name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The values of all nodes, tree after tree."""
    return np.array(list(chain.from_iterable(tree[name] for tree in trees)), dtype)


def _sets(
    trees: list[Json], first: npt.NDArray[np.int64], place: npt.NDArray[np.int64]
) -> dict[int, list[int]]:
    """By the number of their split among all."""
    sets = {}
    for tree, start in zip(trees, first.tolist(), strict=True):
        names = ("categories_nodes", "categories_segments", "categories_sizes")
        for node, begin, size in zip(*(tree[name] for name in names), strict=True):
            sets[int(place[start + node])] = tree["categories"][begin : begin + size]
    return sets
