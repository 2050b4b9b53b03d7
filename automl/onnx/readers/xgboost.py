"""XGBoost's JSON. The base score is found on one row, as each version of the library keeps it elsewhere."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from flowml.automl.fitted import Fitted
from flowml.automl.onnx.forest import IN, LT, Planter, numbered
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
    for number, tree in enumerate(trees["trees"]):
        _plant(planter, tree, trees["tree_info"][number], weights[number] if weights else 1.0)
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


def _plant(planter: Planter, tree: Json, target: int, weight: float) -> None:
    left, right = (np.array(tree[name], np.int64) for name in ("left_children", "right_children"))
    condition = np.array(tree["split_conditions"], np.float32).astype(np.float64)
    split = left >= 0
    number = numbered(split)
    in_set = np.array(tree["split_type"], np.int64)[split] == SET_SPLIT
    yes, no = number[left[split]], number[right[split]]
    default_left = np.array(tree["default_left"], np.bool_)[split]
    planter.plant(
        feature=np.array(tree["split_indices"], np.int64)[split],
        threshold=np.where(in_set, 0.0, condition[split]),
        yes=np.where(in_set, no, yes),  # members of a set go right
        no=np.where(in_set, yes, no),
        missing_yes=default_left ^ in_set,
        values=condition[~split] * weight,
        target=target,
        mode=np.where(in_set, IN, LT),
        sets=_sets(tree, number),
    )


def _sets(tree: Json, number: Any) -> dict[int, list[int]]:
    sets = {}
    spans = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    for node, start, size in spans:
        sets[int(number[node])] = tree["categories"][start : start + size]
    return sets
