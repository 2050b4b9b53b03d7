"""From the trees of a library to TREE_ARRAYS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowml.automl.fitted import Arrays, floor32
from flowml.automl.metrics import Array

SHARED = -1  # target of a tree whose leaves hold a value for each output
NEVER = -40.0  # raw score of a class that a fold never saw


@dataclass(frozen=True)
class Tree:
    """Nodes of one tree; `left` and `right` are -1 at leaves."""

    left: Array
    right: Array
    feature: Array
    threshold: Array
    missing_left: Array
    value: Array  # (nodes, 1), or (nodes, outputs) where the target is SHARED
    target: int = SHARED
    sets: Mapping[int, Sequence[int]] = field(default_factory=dict)  # node: codes that go left


def of_sklearn(tree: Any, value: Array, target: int = SHARED) -> Tree:
    """A fitted tree of scikit-learn with values of our own."""
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left,
        value=value,
        target=target,
    )


def arrays_of(trees: Sequence[Tree], base: Array) -> Arrays:
    """TREE_ARRAYS; what stands inside of a tree as its value is left out."""
    offsets = np.concatenate([[0], np.cumsum([len(tree.left) for tree in trees])]).astype(np.int64)
    left = np.concatenate([tree.left for tree in trees])
    value = np.concatenate([tree.value for tree in trees]).astype(np.float32)
    value[left >= 0] = 0
    sets = [(offsets[t] + node, codes) for t, tree in enumerate(trees) for node, codes in tree.sets.items()]
    sizes = [len(codes) for _, codes in sets]
    return {
        "offsets": offsets,
        "left": left.astype(np.int32),
        "right": np.concatenate([tree.right for tree in trees]).astype(np.int32),
        "feature": np.maximum(np.concatenate([tree.feature for tree in trees]), 0).astype(np.int32),
        "threshold": floor32(np.concatenate([tree.threshold for tree in trees]).astype(np.float64)),
        "missing_left": np.concatenate([tree.missing_left for tree in trees]).astype(bool),
        "target": np.array([tree.target for tree in trees], np.int32),
        "value": value,
        "base": np.asarray(base, np.float64),
        "set_node": np.array([node for node, _ in sets], np.int64),
        "set_offsets": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        "set_codes": np.concatenate([[], *(codes for _, codes in sets)]).astype(np.int32),
    }
