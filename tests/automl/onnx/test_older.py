"""The same model with the tree operators of older runtimes."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.contract import rows_of
from flowml.automl.features.graph import ML
from flowml.automl.onnx import build
from flowml.automl.onnx.forest import IN, LEQ, Planter
from flowml.automl.onnx.hostile import make_hostile, make_usual
from flowml.automl.onnx.older import to_ml3, without_sets
from flowml.automl.serve import Predictor
from flowml.storage.errors import ExportError
from flowml.storage.records import Task
from tests.automl.onnx.champions import train

TREES = ("lightgbm", "xgboost", "catboost", "random_forest", "extra_trees")


@pytest.mark.parametrize("task", list(Task))
def test_it_answers_alike_without_newer_operators(task: Task) -> None:
    trained = train(task, tuple(key for key in TREES if task in ALGORITHMS[key].tasks))
    content = build(trained.contract, trained.members, {"score": 0.5})
    older = to_ml3(content)
    model = onnx.load_from_string(older)
    assert {each.domain: each.version for each in model.opset_import} == {"": 21, ML: 3}
    kinds = [node.op_type for node in model.graph.node]
    assert "TreeEnsemble" not in kinds
    assert "TreeEnsembleRegressor" in kinds
    assert any("/set/" in name for node in model.graph.node for name in node.output)
    sessions = [onnxruntime.InferenceSession(each) for each in (content, older)]
    for feeds in (trained.feeds, make_hostile(trained.contract, trained.feeds, 500, seed=9)):
        new, old = (session.run(None, feeds)[-1] for session in sessions)
        assert old == pytest.approx(new, rel=1e-6, abs=1e-6)
    assert Predictor(older).about("score") == 0.5
    assert to_ml3(older) == older


def test_sets_of_codes_become_columns_of_a_table() -> None:
    planter = Planter(1)
    sets = {0: (1, 3), 1: (0, 7), 2: (1, 3)}
    planter.plant([1, 0, 1], [0, 0, 0], [1, ~0, ~2], [2, ~1, ~3], [0] * 3, range(4), mode=IN, sets=sets)
    planter.plant([0], [2.5], [~0], [~1], [1], [10, 20], mode=LEQ)
    forest = planter.forest()
    changed, tables = without_sets(forest)
    assert {feature: table.shape for feature, table in tables.items()} == {1: (5, 1), 0: (9, 1)}
    codes = np.array([(a, b) for a in (0, 1, 2, 7, 30) for b in (0, 1, 3, 9)], np.float32)
    looked_up = [
        table[np.clip(codes[:, feature].astype(int), 0, len(table) - 1)] for feature, table in tables.items()
    ]
    assert changed.sets == {}
    assert (changed.raw(np.hstack([*looked_up, codes])) == forest.raw(codes)).all()


def test_a_threshold_is_kept() -> None:
    trained = train(Task.BINARY, ("xgboost",))
    content = build(trained.contract, trained.members, threshold=0.2)
    sessions = [onnxruntime.InferenceSession(each) for each in (content, to_ml3(content))]
    new, old = (session.run(["label"], trained.feeds)[0] for session in sessions)
    assert (new == old).all()


def test_models_of_others_are_refused() -> None:
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Abs", ["x"], ["y"])], "g", [value], [value])
    with pytest.raises(ExportError, match="FlowML wrote"):
        to_ml3(onnx.helper.make_model(graph).SerializeToString())


def test_usual_rows_are_such_as_training_saw() -> None:
    trained = train(Task.BINARY, ("dummy",))
    usual = make_usual(trained.contract, 400)
    assert rows_of(usual) == 400
    age, city = usual["age"].ravel(), usual["city"].ravel()
    assert np.nanmin(age) >= 18
    assert set(city) == {*trained.contract.columns[3].categories, ""}
    assert list(
        trained.contract.accept({name: values[0, 0] for name, values in usual.items() if name == "age"})[1]
    )
