"""A forest as operators of ONNX: one TreeEnsemble, and a table of leaves where these hold several values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from flowml.automl.features.graph import ML
from flowml.automl.onnx.forest import IN, LEQ, Forest, Lookup, Matrix
from flowml.automl.onnx.graph import Graph
from flowml.automl.onnx.parts import Scores, zeros
from flowml.storage.errors import ExportError

SUM, NONE = 1, 0  # how TreeEnsemble numbers its aggregate functions and links
MOST_LEAVES = 1 << 24  # whole numbers that float32 holds exactly
LOWEST = float(np.finfo(np.float32).min)


def build_forest(graph: Graph, forest: Forest, features: str, width: int) -> str:
    """Write a forest without its base: float32 (rows, width) in, float32 (rows, outputs) out."""
    if not forest.n_trees:
        return zeros(graph, features, forest.n_outputs)
    wide = (
        graph.op("Concat", features, *_lookups(graph, forest.lookups, features), axis=1)
        if forest.lookups
        else features
    )
    total = width + sum(lookup.table.shape[1] for lookup in forest.lookups)
    if forest.feature.max() >= total:
        raise ExportError(
            f"A tree asks for feature {forest.feature.max()} of {total}.", "Train the model again."
        )
    if forest.targets is None:
        return _shared_leaves(graph, forest, wide)
    node = _ensemble(forest, wide, forest.targets, forest.values[:, 0], forest.n_outputs)
    return graph.add(node, "TreeEnsemble")


def _lookups(graph: Graph, lookups: tuple[Lookup, ...], features: str) -> list[str]:
    columns = []
    for lookup in lookups:
        codes = graph.op("Gather", features, graph.constant(lookup.feature, np.int64), axis=1)
        last = graph.constant(len(lookup.table) - 1, np.int64)
        place = graph.op("Min", graph.cast(codes, np.int64), last)
        columns.append(graph.op("Gather", graph.constant(lookup.table, np.float32), place, axis=0))
    return columns


def _shared_leaves(graph: Graph, forest: Forest, features: str) -> str:
    """Each tree answers with the number of the leaf that a row falls into; a table holds their values."""
    leaves = len(forest.values)
    if leaves > MOST_LEAVES:
        raise ExportError(
            f"The forest has {leaves:,} leaves, more than {MOST_LEAVES:,} cannot be numbered.",
            "Grow fewer trees.",
        )
    node = _ensemble(forest, features, forest.tree_of_leaf(), np.arange(leaves), forest.n_trees)
    places = graph.cast(graph.add(node, "TreeEnsemble"), np.int64)
    each = graph.op("Gather", graph.constant(forest.values, np.float32), places, axis=0)
    return graph.op("ReduceSum", each, graph.constant([1], np.int64), keepdims=0)


def _ensemble(
    forest: Forest,
    features: str,
    targets: npt.NDArray[np.int64],
    weights: npt.NDArray[Any],
    n_targets: int,
) -> Any:
    mode, threshold, members = _written_sets(forest)
    lists: dict[str, npt.NDArray[Any]] = {
        "nodes_featureids": forest.feature,
        "nodes_truenodeids": np.where(forest.yes < 0, ~forest.yes, forest.yes),
        "nodes_trueleafs": forest.yes < 0,
        "nodes_falsenodeids": np.where(forest.no < 0, ~forest.no, forest.no),
        "nodes_falseleafs": forest.no < 0,
        "nodes_missing_value_tracks_true": forest.missing_yes,
        "tree_roots": forest.roots,
        "leaf_targetids": targets,
    }
    tensors: dict[str, npt.NDArray[Any]] = {
        "nodes_modes": mode,
        "nodes_splits": threshold,
        "leaf_weights": weights.astype(np.float32),
    }
    if len(members):
        tensors["membership_values"] = members
    numbers = {"n_targets": n_targets, "aggregate_function": SUM, "post_transform": NONE}
    kind = onnx.AttributeProto  # written by hand: the helper looks at every number of a list
    node = onnx.NodeProto(op_type="TreeEnsemble", domain=ML, input=[features])
    for name, column in lists.items():
        written = node.attribute.add(name=name, type=kind.INTS)
        written.ints.extend(column.astype(np.int64).tolist())
    for name, values in tensors.items():
        node.attribute.add(name=name, type=kind.TENSOR, t=numpy_helper.from_array(values))
    for name, number in numbers.items():
        node.attribute.add(name=name, type=kind.INT, i=number)
    return node


def _written_sets(forest: Forest) -> tuple[npt.NDArray[np.uint8], Matrix, Matrix]:
    """Modes, thresholds and the codes of all sets in order, each set ended by NaN."""
    mode, threshold = forest.mode.copy(), forest.threshold.copy()
    members: list[float] = []
    for split in np.flatnonzero(mode == IN).tolist():
        if forest.sets[split]:
            members += [*map(float, forest.sets[split]), np.nan]
        else:
            mode[split], threshold[split] = LEQ, LOWEST  # in no set: always no
    return mode, threshold, np.array(members, np.float32)


@dataclass(frozen=True)
class Trees:
    """A forest as a part of a champion."""

    forest: Forest

    @property
    def n_outputs(self) -> int:
        return self.forest.n_outputs

    def only(self, output: int) -> Trees:
        return Trees(self.forest.only(output))

    def build(self, graph: Graph, features: str, width: int) -> Scores:
        return Scores(build_forest(graph, self.forest, features, width), np.float32, self.forest.base)
