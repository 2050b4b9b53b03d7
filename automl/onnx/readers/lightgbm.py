"""LightGBM's own text, read without the library."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.automl.fitted import Fitted
from flowml.automl.onnx.forest import IN, LEQ, Planter
from flowml.automl.onnx.trees import Trees
from flowml.storage.errors import ExportError

# Bits of decision_type.
CATEGORICAL, DEFAULT_LEFT, MISSING_SHIFT = 1, 2, 2
MISSING_ZERO, MISSING_NAN = 1, 2

Section = dict[str, str]


def read(fitted: Fitted) -> Trees:
    header, trees = _sections(fitted.content.decode())
    _check(header)
    per_round = int(header["num_tree_per_iteration"])
    share = per_round / max(1, len(trees)) if "average_output" in header else 1.0
    planter = Planter(per_round)
    _plant(planter, trees, np.arange(len(trees)) % per_round, share)
    return Trees(planter.forest())


def _sections(text: str) -> tuple[Section, list[Section]]:
    """The header and each tree, as names and their texts."""
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    return _pairs(head), [_pairs(block) for block in blocks]


def _pairs(block: str) -> Section:
    pairs = (line.partition("=") for line in block.splitlines())
    return {name: value for name, _, value in pairs if name}


def _check(header: Section) -> None:
    objective = header.get("objective", "").split()
    if "sqrt" in objective or any(word.startswith("sigmoid:") and word != "sigmoid:1" for word in objective):
        raise ExportError(
            f"LightGBM's objective {header['objective']!r} changes the score in a way that is not exported.",
            "Train with sigmoid 1 and without reg_sqrt.",
        )


def _plant(planter: Planter, trees: list[Section], targets: npt.NDArray[np.int64], share: float) -> None:
    if any(tree.get("is_linear") == "1" for tree in trees):
        raise ExportError("LightGBM's linear trees cannot be exported.", "Train without linear_tree.")
    grown = [tree for tree in trees if int(tree["num_leaves"]) > 1]
    leaves = [
        tree["leaf_value"] if int(tree["num_leaves"]) > 1 else tree["leaf_value"].split()[0] for tree in trees
    ]
    splits = np.array([max(0, int(tree["num_leaves"]) - 1) for tree in trees], np.int64)
    decision = _all(grown, "decision_type", np.int64)
    threshold = _all(grown, "threshold", np.float64)
    categorical = decision & CATEGORICAL > 0
    planter.plant(
        feature=_all(grown, "split_feature", np.int64),
        threshold=np.where(categorical, 0.0, threshold),
        yes=_all(grown, "left_child", np.int64),
        no=_all(grown, "right_child", np.int64),
        missing_yes=_missing_left(decision, threshold) & ~categorical,
        values=_numbers(" ".join(leaves), np.float64) * share,
        target=targets,
        mode=np.where(categorical, IN, LEQ),
        sets=_sets_of_all(grown, threshold, categorical),
        splits=splits,
    )


def _all(trees: list[Section], name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The numbers of all trees, one after another."""
    return _numbers(" ".join(tree[name] for tree in trees), dtype)


def _sets_of_all(
    trees: list[Section], threshold: npt.NDArray[np.float64], categorical: npt.NDArray[np.bool_]
) -> dict[int, list[int]]:
    found, start = dict[int, list[int]](), 0
    for tree in trees:
        own = slice(start, start + int(tree["num_leaves"]) - 1)
        sets = _sets(tree, threshold[own], categorical[own])
        found |= {start + split: codes for split, codes in sets.items()}
        start = own.stop
    return found


def _missing_left(
    decision: npt.NDArray[np.int64], threshold: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Where training saw no missing value, LightGBM reads one as 0."""
    kind = decision >> MISSING_SHIFT & 3
    if (kind == MISSING_ZERO).any():
        raise ExportError("LightGBM's zero_as_missing cannot be exported.", "Train without it.")
    return np.where(kind == MISSING_NAN, decision & DEFAULT_LEFT > 0, threshold >= 0)


def _sets(
    tree: Section, threshold: npt.NDArray[np.float64], categorical: npt.NDArray[np.bool_]
) -> dict[int, list[int]]:
    """Sets are bits in words of 32; the threshold of a split says which words are its own."""
    if not categorical.any():
        return {}
    bounds = _numbers(tree["cat_boundaries"], np.int64)
    words = _numbers(tree["cat_threshold"], np.int64).astype("<u4")
    ones = np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little"))
    place = np.searchsorted(bounds, ones // 32, side="right") - 1
    codes = (ones - 32 * bounds[place]).tolist()
    ends = np.searchsorted(place, np.arange(len(bounds))).tolist()
    splits = np.flatnonzero(categorical).tolist()
    places = threshold[splits].astype(np.int64).tolist()
    return {split: codes[ends[own] : ends[own + 1]] for split, own in zip(splits, places, strict=True)}


def _numbers(text: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.fromstring(text, dtype, sep=" ")
