"""CatBoost's JSON, with its own statistics of categories.

Categories are whole numbers, given to CatBoost as text. With `max_ctr_complexity` 1 each statistic is a table
over the categories of one feature, so it becomes a lookup.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from flowml.automl.fitted import Fitted
from flowml.automl.onnx.forest import IN, LEQ, Lookup, Planter
from flowml.automl.onnx.trees import Trees
from flowml.storage.errors import ExportError
from flowml.storage.records import Json

# CatBoost finds a category in a table by this mix of its hash.
MULTIPLIER = 0x4906BA494954CB65
WORD = 0xFFFFFFFFFFFFFFFF
COUNTS = ("Counter", "FeatureFreq")
MEANS = ("BinarizedTargetMeanValue", "FloatTargetMeanValue")


class Meant(NamedTuple):
    """What the splits of a model mean, by their number."""

    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float64]
    mode: npt.NDArray[np.uint8]
    code: npt.NDArray[np.int64]
    missing_low: npt.NDArray[np.bool_]


@dataclass
class Splits:
    """The same while they are gathered, in the order of CatBoost's own list."""

    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    mode: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)  # of a split that asks for one category
    missing_low: list[bool] = field(default_factory=list)

    def add(self, feature: int, threshold: float, missing_low: bool, mode: int = LEQ, code: int = -1) -> None:
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.mode.append(mode)
        self.code.append(code)
        self.missing_low.append(missing_low)

    def as_arrays(self) -> Meant:
        return Meant(
            np.array(self.feature, np.int64),
            np.array(self.threshold, np.float64),
            np.array(self.mode, np.uint8),
            np.array(self.code, np.int64),
            np.array(self.missing_low, np.bool_),
        )


def read(fitted: Fitted, width: int) -> Trees:
    """`width`: features of the matrix; lookups are numbered after them."""
    model = json.loads(fitted.content)
    splits, lookups = _splits(model, width)
    scale, bias = model["scale_and_bias"]
    bias = np.atleast_1d(np.asarray(bias, np.float64))
    planter = Planter(len(bias), shared=len(bias) > 1)
    planter.base += bias
    meant = splits.as_arrays()
    _plant_symmetric(planter, model.get("oblivious_trees") or (), meant, scale)
    _plant_any(planter, model.get("trees") or (), meant, scale)
    return Trees(planter.forest(lookups))


# --- splits -----------------------------------------------------------------------------------------------


def _splits(model: Json, width: int) -> tuple[Splits, tuple[Lookup, ...]]:
    """All splits, numbered as CatBoost does: of numbers, of single categories, of statistics."""
    features = model["features_info"]
    splits, codes = Splits(), _codes(features)
    categorical = {each["feature_index"]: each for each in features.get("categorical_features") or ()}
    for each in features.get("float_features") or ():
        low = each.get("nan_value_treatment") != "AsTrue"
        for border in each.get("borders") or ():
            splits.add(each["flat_feature_index"], border, low)
    for each in categorical.values():
        for value in each.get("values") or ():
            splits.add(each["flat_feature_index"], 0.0, False, IN, codes[value & 0xFFFFFFFF])
    columns: dict[int, list[npt.NDArray[np.float32]]] = {}
    borders: list[tuple[int, int, list[float]]] = []
    for each in features.get("ctrs") or ():
        place = _single_feature(each, categorical)
        own = columns.setdefault(place, [])
        borders.append((place, len(own), each["borders"]))
        own.append(_statistics(each, model["ctr_data"][each["identifier"]], codes))
    starts, start = {}, width
    for place, own in columns.items():
        starts[place] = start
        start += len(own)
    for place, column, values in borders:
        for border in values:
            splits.add(starts[place] + column, border, True)
    lookups = tuple(Lookup(place, np.stack(own, axis=1)) for place, own in columns.items())
    return splits, lookups


def _codes(features: Json) -> dict[int, int]:
    """The whole number that each hash stands for."""
    return {each["hash"] & 0xFFFFFFFF: int(each["value"]) for each in features.get("cat_features_hash") or ()}


def _single_feature(statistic: Json, categorical: dict[int, Json]) -> int:
    elements = statistic["elements"]
    if len(elements) != 1 or elements[0]["combination_element"] != "cat_feature_value":
        raise ExportError(
            "CatBoost's statistics of combined categories cannot be exported.",
            "Train with max_ctr_complexity=1.",
        )
    return int(categorical[elements[0]["cat_feature_index"]]["flat_feature_index"])


def _statistics(statistic: Json, table: Json, codes: dict[int, int]) -> npt.NDArray[np.float32]:
    """The statistic of each code, and in the last place that of a category that CatBoost never saw."""
    stride, cells = int(table["hash_stride"]), table["hash_map"]
    counted = {
        int(cells[start]): [float(cell) for cell in cells[start + 1 : start + stride]]
        for start in range(0, len(cells), stride)
    }
    total = float(table["counter_denominator"])
    unseen = _value(statistic, *((0.0, total) if statistic["ctr_type"] in COUNTS else (0.0, 0.0)))
    values = np.full(max(codes.values(), default=0) + 2, unseen, np.float32)
    for hashed, code in codes.items():
        counts = counted.get(_mixed(hashed))
        if counts is not None and code >= 0:
            values[code] = _value(statistic, *_good_and_all(statistic, counts, total))
    return values


def _good_and_all(statistic: Json, counts: list[float], total: float) -> tuple[float, float]:
    kind, border = statistic["ctr_type"], int(statistic["target_border_idx"])
    if kind in COUNTS:
        return counts[0], total
    if kind in MEANS:
        return counts[0], counts[1]
    good = counts[border] if kind == "Buckets" else sum(counts[border + 1 :])
    return good, sum(counts)


def _value(statistic: Json, good: float, every: float) -> np.float32:
    """In float32 step by step, as CatBoost does."""
    f = np.float32
    ratio = (f(good) + f(statistic["prior_numerator"])) / (f(every) + f(statistic["prior_denomerator"]))
    return f((ratio + f(statistic["shift"])) * f(statistic["scale"]))


def _mixed(hashed: int) -> int:
    signed = hashed - (1 << 32) if hashed >= 1 << 31 else hashed
    return MULTIPLIER * ((MULTIPLIER * signed) & WORD) & WORD


# --- trees ------------------------------------------------------------------------------------------------


def _plant_symmetric(planter: Planter, trees: Sequence[Json], meant: Meant, scale: float) -> None:
    """All splits of a level are the same; bit b of a leaf's number says how split b went."""
    by_depth: dict[int, list[Json]] = {}
    for tree in trees:
        by_depth.setdefault(len(tree["splits"] or ()), []).append(tree)
    for depth, alike in by_depth.items():
        # The last split is the root.
        chosen = np.array(
            [[each["split_index"] for each in tree["splits"] or ()][::-1] for tree in alike], np.int64
        )
        level = np.repeat(np.arange(depth), 1 << np.arange(depth)).astype(np.int64)
        place = np.arange((1 << depth) - 1)  # in a complete tree node n has children 2n + 1 and 2n + 2
        low, high = (np.tile(_child(2 * place + step, depth), len(alike)) for step in (1, 2))
        values = _scaled([tree["leaf_values"] for tree in alike], scale)
        _plant(planter, meant, chosen[:, level].ravel(), low, high, values, [len(place)] * len(alike))


def _child(node: npt.NDArray[np.int64], depth: int) -> npt.NDArray[np.int64]:
    leaf = node - ((1 << depth) - 1)
    return np.where(leaf >= 0, ~leaf, node)


def _plant_any(planter: Planter, trees: Sequence[Json], meant: Meant, scale: float) -> None:
    for tree in trees:
        chosen: list[int] = []
        children: tuple[list[int], list[int]] = [], []
        leaves: list[Any] = []
        _walk(tree, chosen, children, leaves)
        low, high = map(np.array, children)
        _plant(planter, meant, np.array(chosen, np.int64), low, high, _scaled(leaves, scale), [len(chosen)])


def _walk(node: Json, chosen: list[int], children: tuple[list[int], list[int]], leaves: list[Any]) -> int:
    """Takes in a node and what is below it: the number of its split, or ~number of its leaf."""
    if "split" not in node:
        leaves.append(np.atleast_1d(node["value"]))
        return -len(leaves)
    split = len(chosen)
    chosen.append(node["split"]["split_index"])
    for side in children:
        side.append(0)
    for side, name in zip(children, ("left", "right"), strict=True):
        side[split] = _walk(node[name], chosen, children, leaves)
    return split


def _scaled(leaves: Any, scale: float) -> npt.NDArray[np.float64]:
    return np.asarray(leaves, np.float64).ravel() * scale


def _plant(
    planter: Planter,
    meant: Meant,
    chosen: npt.NDArray[np.int64],
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    splits: list[int],
) -> None:
    asks = meant.mode[chosen] == IN  # a row that has the category goes high
    planter.plant(
        feature=meant.feature[chosen],
        threshold=meant.threshold[chosen],
        yes=np.where(asks, high, low),
        no=np.where(asks, low, high),
        missing_yes=meant.missing_low[chosen] & ~asks,
        values=values,
        mode=meant.mode[chosen],
        sets={place: [int(meant.code[chosen[place]])] for place in np.flatnonzero(asks).tolist()},
        splits=splits,
    )
