"""The same model for older runtimes: tree operators of ai.onnx.ml 3 in the place of those of version 5.

TreeEnsemble needs an onnxruntime of 2025 or later; TreeEnsembleRegressor runs in older ones too and makes the
file about three times as large. It knows no sets of codes: for them a table tells in which sets each code is,
and the trees ask for a column of that table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from flowml.automl.contract import Contract
from flowml.automl.features.graph import ML
from flowml.automl.onnx.forest import IN, LEQ, LT, Forest, Ints, Matrix
from flowml.automl.onnx.hostile import make_hostile, make_usual
from flowml.automl.onnx.parity import compare_models
from flowml.automl.serve import PREFIX
from flowml.storage.errors import ExportError

OLD, NEW = 3, 5
ROWS = 1_000  # usual ones and as many hostile ones, on which both files must answer alike
MODES = {LEQ: b"BRANCH_LEQ", LT: b"BRANCH_LT"}
LEAF = b"LEAF"
IN_THE_SET = 0.5  # a column of the table is 1 for the codes of its set, else 0


def to_ml3(content: bytes) -> bytes:
    """Raises ExportError for a model that is not ours, ParityError should the answers differ."""
    model = onnx.load_from_string(content)
    versions = {each.domain: each for each in model.opset_import}
    if ML not in versions or not any(each.key == f"{PREFIX}contract" for each in model.metadata_props):
        raise ExportError("Only a model that FlowML wrote can be made older.", "Use the file as it is.")
    nodes = [new for node in model.graph.node for new in _older(node, model.graph)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    versions[ML].version = OLD
    older: bytes = model.SerializeToString()
    onnx.checker.check_model(older)
    _prove(model, content, older)
    return older


def _prove(model: Any, content: bytes, older: bytes) -> None:
    texts = {each.key: each.value for each in model.metadata_props}
    contract = Contract.from_dict(json.loads(texts[f"{PREFIX}contract"]))
    threshold = json.loads(texts.get(f"{PREFIX}threshold", "null"))
    usual = make_usual(contract, ROWS)
    for feeds in (usual, make_hostile(contract, usual, ROWS)):
        compare_models(content, older, feeds, contract, threshold)


def _older(node: Any, graph: Any) -> Iterator[Any]:
    """The node, or those that stand for it."""
    if (node.op_type, node.domain) != ("TreeEnsemble", ML):
        yield node
        return
    forest, tables = without_sets(read_back(node))
    features = str(node.input[0])
    if tables:
        columns = []
        for number, (feature, table) in enumerate(tables.items()):
            name = f"{node.output[0]}/set/{number}"
            yield from _look_up(graph, name, features, feature, table)
            columns.append(name)
        wide = f"{node.output[0]}/wide"
        yield helper.make_node("Concat", [*columns, features], [wide], axis=1)
        features = wide
    yield _regressor(forest, features, node.output[0])


def _look_up(graph: Any, name: str, features: str, feature: int, table: Matrix) -> Iterator[Any]:
    """A row of the table for the code in one feature; codes beyond the table take its last row."""
    constants = {"feature": np.int64(feature), "low": np.int64(0), "high": np.int64(len(table) - 1)}
    for key, value in {**constants, "table": table}.items():
        graph.initializer.append(numpy_helper.from_array(np.asarray(value), f"{name}/{key}"))
    int64 = onnx.TensorProto.INT64
    yield helper.make_node("Gather", [features, f"{name}/feature"], [f"{name}/code"], axis=1)
    yield helper.make_node("Cast", [f"{name}/code"], [f"{name}/whole"], to=int64)
    yield helper.make_node("Clip", [f"{name}/whole", f"{name}/low", f"{name}/high"], [f"{name}/place"])
    yield helper.make_node("Gather", [f"{name}/table", f"{name}/place"], [name], axis=0)


# --- forests ----------------------------------------------------------------------------------------------


def read_back(node: Any) -> Forest:
    """The forest of a TreeEnsemble that `trees` wrote."""
    found = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    mode = numpy_helper.to_array(found["nodes_modes"])
    children = [
        np.where(np.array(found[f"nodes_{side}leafs"]) == 1, ~ids, ids)
        for side in ("true", "false")
        for ids in [np.array(found[f"nodes_{side}nodeids"], np.int64)]
    ]
    weights = numpy_helper.to_array(found["leaf_weights"])
    return Forest(
        feature=np.array(found["nodes_featureids"], np.int64),
        threshold=numpy_helper.to_array(found["nodes_splits"]),
        mode=mode,
        yes=children[0],
        no=children[1],
        missing_yes=np.array(found["nodes_missing_value_tracks_true"], np.bool_),
        sets=_sets(mode, found.get("membership_values")),
        roots=np.array(found["tree_roots"], np.int64),
        values=weights.astype(np.float64).reshape(-1, 1),
        targets=np.array(found["leaf_targetids"], np.int64),
        base=np.zeros(found["n_targets"]),
    )


def _sets(mode: npt.NDArray[np.uint8], members: Any) -> dict[int, tuple[int, ...]]:
    """Members stand in the order of their splits, each set ended by NaN."""
    if members is None:
        return {}
    values = numpy_helper.to_array(members)
    ends = np.flatnonzero(np.isnan(values))
    sets = [part[~np.isnan(part)].astype(np.int64) for part in np.split(values, ends + 1)[:-1]]
    splits = np.flatnonzero(mode == IN).tolist()
    return {split: tuple(codes.tolist()) for split, codes in zip(splits, sets, strict=True)}


def without_sets(forest: Forest) -> tuple[Forest, dict[int, Matrix]]:
    """The same trees asking for the columns of tables that stand before all other features: a table for each
    feature that had sets, a row for each of its codes.
    """
    by_feature = dict[int, dict[tuple[int, ...], int]]()
    for split, codes in forest.sets.items():
        known = by_feature.setdefault(int(forest.feature[split]), {})
        known.setdefault(codes, len(known))
    widths = [len(known) for known in by_feature.values()]
    first = dict(zip(by_feature, np.cumsum([0, *widths]).tolist(), strict=False))
    feature, threshold, mode = forest.feature + sum(widths), forest.threshold.copy(), forest.mode.copy()
    yes, no, missing_yes = forest.yes.copy(), forest.no.copy(), forest.missing_yes.copy()
    for split, codes in forest.sets.items():
        asked = int(forest.feature[split])
        feature[split] = first[asked] + by_feature[asked][codes]
        threshold[split], mode[split] = IN_THE_SET, LEQ
        yes[split], no[split] = forest.no[split], forest.yes[split]  # 0 means: not in the set
        missing_yes[split] = not forest.missing_yes[split]
    changed = replace(
        forest,
        feature=feature,
        threshold=threshold,
        mode=mode,
        yes=yes,
        no=no,
        missing_yes=missing_yes,
        sets={},
    )
    return changed, {asked: _table(known) for asked, known in by_feature.items()}


def _table(sets: dict[tuple[int, ...], int]) -> Matrix:
    """1 where the code of the row is in the set of the column; the last row is for all other codes."""
    table = np.zeros((max(max(codes) for codes in sets) + 2, len(sets)), np.float32)
    for codes, column in sets.items():
        table[list(codes), column] = 1.0
    return table


# --- writing ----------------------------------------------------------------------------------------------


def _regressor(forest: Forest, features: str, output: str) -> Any:
    assert forest.targets is not None
    splits, leaves = len(forest.feature), len(forest.values)
    tree = np.concatenate([forest.tree_of_split(), forest.tree_of_leaf()])
    place = np.concatenate([_place(tree[:splits]), _place(tree[splits:])])
    place[splits:] += np.bincount(tree[:splits], minlength=forest.n_trees)[tree[splits:]]
    together = np.argsort(tree, kind="stable")  # runtimes want all nodes of a tree in one place
    none, modes = np.zeros(leaves, np.int64), np.array([MODES[mode] for mode in forest.mode.tolist()], object)

    def ordered(of_splits: npt.NDArray[Any], of_leaves: npt.NDArray[Any] = none) -> list[Any]:
        return list(np.concatenate([of_splits, of_leaves])[together].tolist())

    def child(of: Ints) -> list[int]:
        return ordered(place[np.where(of < 0, splits + ~of, of)])

    ints = {
        "nodes_treeids": tree[together].tolist(),
        "nodes_nodeids": place[together].tolist(),
        "nodes_featureids": ordered(forest.feature),
        "nodes_truenodeids": child(forest.yes),
        "nodes_falsenodeids": child(forest.no),
        "nodes_missing_value_tracks_true": ordered(forest.missing_yes.astype(np.int64)),
        "target_treeids": tree[splits:].tolist(),
        "target_nodeids": place[splits:].tolist(),
        "target_ids": forest.targets.tolist(),
    }
    floats = {
        "nodes_values": ordered(forest.threshold.astype(np.float64)),
        "target_weights": forest.values[:, 0].tolist(),
    }
    kind = onnx.AttributeProto  # written by hand: the helper looks at every number of a list
    node = onnx.NodeProto(op_type="TreeEnsembleRegressor", domain=ML, input=[features], output=[output])
    node.attribute.extend(kind(name=name, type=kind.INTS, ints=each) for name, each in ints.items())
    node.attribute.extend(kind(name=name, type=kind.FLOATS, floats=each) for name, each in floats.items())
    words = ordered(modes, np.full(leaves, LEAF, object))
    node.attribute.append(kind(name="nodes_modes", type=kind.STRINGS, strings=words))
    node.attribute.append(kind(name="n_targets", type=kind.INT, i=forest.n_outputs))
    return node


def _place(tree: Ints) -> Ints:
    """The number of each node inside its tree, for nodes in the order of their trees."""
    return np.arange(len(tree)) - np.searchsorted(tree, tree)
