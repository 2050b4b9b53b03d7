"""Every format is read into the very scores that its library gives."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.algorithms.catboost import CatBoost, columns
from flowml.automl.fitted import FORMATS, LINKS, Fitted
from flowml.automl.onnx.forest import IN, LT, Matrix, Planter
from flowml.automl.onnx.graph import Graph
from flowml.automl.onnx.links import LINKS as LINK_ROWS
from flowml.automl.onnx.links import apply_link
from flowml.automl.onnx.native import LIBRARIES
from flowml.automl.onnx.readers import READERS, read
from flowml.automl.onnx.trees import Trees
from flowml.storage.errors import ExportError
from flowml.storage.records import Json, Task
from tests.automl.algorithms.folds import OUTPUTS, context, make_fold, shape_of

TASKS = list(Task)
FEW = {"rounds": 60, "trees": 15}


def raw_by_graph(fitted: Fitted, X: Matrix) -> np.ndarray:
    graph = Graph()
    graph.input("X", onnx.TensorProto.FLOAT, X.shape[1])
    scores = read(fitted, X.shape[1]).build(graph, "X", X.shape[1])
    graph.output(
        "scores", graph.cast(scores.name, np.float64), onnx.TensorProto.DOUBLE, [None, fitted.n_outputs]
    )
    answer: np.ndarray = onnxruntime.InferenceSession(graph.model({})).run(None, {"X": X})[0]
    return answer + scores.base


def fitted_by(key: str, task: Task, **params: Any) -> tuple[Fitted, Any, Matrix]:
    row = ALGORITHMS[key]
    fold = make_fold(task, rows=240, holes=row.encoding != "onehot", categorical=row.encoding == "native")
    if row.encoding == "native":  # its codes are never missing
        for X in (fold.X, fold.X_valid):
            X[:, 3] = np.nan_to_num(X[:, 3], nan=6.0)
    defaults: Json = row.defaults(shape_of(task))
    few = {name: value for name, value in FEW.items() if name in defaults and row.family != "linear"}
    estimator = row.fit(fold, defaults | few | params, context())
    return (
        estimator.freeze(),
        estimator,
        np.concatenate([fold.X_valid, wild(fold.X, row.encoding != "onehot")]),
    )


def wild(X: Matrix, holes: bool) -> Matrix:
    """Rows that sit on the values learned from, a step beside them, far away, or are missing."""
    draw = np.random.default_rng(5)
    rows = X[draw.integers(0, len(X), 300)].copy()
    plain = np.array([0, 1, 2, 4])
    rows[:100, plain] = np.nextafter(rows[:100, plain], np.float32(np.inf))
    rows[100:200, plain] = draw.choice([-1e30, -1e-40, 0.0, 1e-40, 1e30] if holes else [-9.0, 9.0], (100, 4))
    rows[200:, 3] = draw.integers(0, 9, 100)
    if holes:
        rows[250:, :3] = np.nan
    return rows


CASES = [(key, task) for key, row in ALGORITHMS.items() for task in sorted(row.tasks)]


def test_every_format_has_a_reader_and_a_library() -> None:
    assert set(READERS) == set(LIBRARIES) == set(FORMATS)


def test_every_link_has_a_row() -> None:
    assert set(LINK_ROWS) == set(LINKS)


@pytest.mark.parametrize(("key", "task"), CASES)
def test_the_graph_scores_as_the_library(key: str, task: Task) -> None:
    fitted, estimator, X = fitted_by(key, task)
    expected = np.asarray(estimator.predict(X), np.float64).reshape(len(X), -1)
    found = apply_link(fitted.link, raw_by_graph(fitted, X))
    assert found.shape == (len(X), 1 if task is Task.REGRESSION else OUTPUTS[task])
    scale = max(1.0, float(abs(expected).max())) if task is Task.REGRESSION else 1.0
    assert abs(found - expected).max() < 1e-6 * scale


DROPOUT: Json = {"rate_drop": 0.5}
if tuple(map(int, version("xgboost").split(".")[:2])) < (3, 3):  # later ones drop trees of any booster
    DROPOUT["booster"] = "dart"
VARIANTS: list[tuple[str, Json]] = [
    ("lightgbm", {"boosting": "rf", "bagging_fraction": 0.5}),
    ("lightgbm", {"boosting": "dart"}),
    ("lightgbm", {"max_cat_to_onehot": 1, "min_data_per_group": 1, "cat_smooth": 0.1}),
    ("xgboost", DROPOUT),
    ("xgboost", {"num_parallel_tree": 3}),
    ("xgboost", {"grow_policy": "lossguide", "max_leaves": 5}),
    ("catboost", {"one_hot_max_size": 2}),
    ("catboost", {"one_hot_max_size": 60}),
    ("extra_trees", {"min_samples_leaf": 200}),
]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("key", "params"), VARIANTS)
def test_so_it_does_in_the_modes_of_the_libraries(key: str, params: Json, task: Task) -> None:
    fitted, estimator, X = fitted_by(key, task, **params)
    expected = np.asarray(estimator.predict(X), np.float64).reshape(len(X), -1)
    found = apply_link(fitted.link, raw_by_graph(fitted, X))
    scale = max(1.0, float(abs(expected).max())) if task is Task.REGRESSION else 1.0
    assert abs(found - expected).max() < 1e-6 * scale


@pytest.mark.parametrize("policy", ["Lossguide", "Depthwise"])
@pytest.mark.parametrize(("task", "loss"), [(Task.BINARY, "Logloss"), (Task.MULTICLASS, "MultiClass")])
def test_trees_of_catboost_need_not_be_symmetric(policy: str, task: Task, loss: str) -> None:
    import catboost

    fold = make_fold(task, rows=240)
    X = np.concatenate([fold.X_valid, wild(fold.X, holes=True)])
    pool = catboost.Pool(columns(fold.X, (3,)), fold.y, cat_features=["3"])
    model = catboost.CatBoost(
        {
            "loss_function": loss,
            "iterations": 30,
            "grow_policy": policy,
            "max_ctr_complexity": 1,
            "one_hot_max_size": 2,
            "logging_level": "Silent",
            "allow_writing_files": False,
            "thread_count": 1,
        }
    )
    model.fit(pool)
    estimator = CatBoost(model, pool, task, OUTPUTS[task], (3,), 30, False)
    X[:, 3] = np.nan_to_num(X[:, 3], nan=7.0)
    fitted = estimator.freeze()
    assert abs(apply_link(fitted.link, raw_by_graph(fitted, X)) - estimator.predict(X)).max() < 1e-6


def test_what_cannot_be_exported_is_refused(fold_text: str) -> None:
    for changed in (
        fold_text.replace("is_linear=0", "is_linear=1"),
        fold_text.replace("objective=binary sigmoid:1", "objective=binary sigmoid:2"),
    ):
        assert changed != fold_text
        with pytest.raises(ExportError):
            read(Fitted("lightgbm", "sigmoid", changed.encode(), 1), 5)


def test_a_model_with_other_outputs_than_it_says_is_refused(fold_text: str) -> None:
    with pytest.raises(ExportError, match="has 1 outputs, 3 were expected"):
        read(Fitted("lightgbm", "softmax", fold_text.encode(), 3), 5)


@pytest.fixture(scope="module")
def fold_text() -> str:
    return fitted_by("lightgbm", Task.BINARY)[0].content.decode()


def test_numpy_walks_the_trees_as_onnxruntime_does() -> None:
    for key in ("lightgbm", "xgboost", "catboost", "random_forest"):
        fitted, _, X = fitted_by(key, Task.MULTICLASS)
        part = read(fitted, X.shape[1])
        assert isinstance(part, Trees)
        assert abs(part.forest.raw(X) - raw_by_graph(fitted, X)).max() < 1e-5


def test_thresholds_are_rounded_down_to_float32() -> None:
    """A threshold of 0.1 in double lies below the float32 that is nearest to it."""
    planter = Planter(1)
    planter.plant([0], [0.1], [-1], [-2], [False], [1.0, 2.0])
    forest = planter.forest()
    assert forest.raw(np.array([[0.1]], np.float32)).item() == 2.0
    assert forest.raw(np.array([[np.nextafter(np.float32(0.1), np.float32(0))]], np.float32)).item() == 1.0


@pytest.mark.parametrize("shared", [False, True])
def test_trees_are_planted_together_as_one_after_another(shared: bool) -> None:
    outputs = 2
    trees: list[dict[str, Any]] = [
        {"feature": [0, 1], "threshold": [0.5, 1.5], "yes": [~0, ~1], "no": [1, ~2], "missing_yes": [1, 0]},
        {"feature": [], "threshold": [], "yes": [], "no": [], "missing_yes": []},
        {
            "feature": [1],
            "threshold": [3.0],
            "yes": [~1],
            "no": [~0],
            "missing_yes": [0],
            "sets": {0: [3, 5]},
        },
    ]
    draw, together, alone = np.random.default_rng(0), Planter(outputs, shared), Planter(outputs, shared)
    for number, tree in enumerate(trees):
        tree["values"] = draw.normal(size=(len(tree["feature"]) + 1, outputs if shared else 1))
        mode = IN if "sets" in tree else LT
        alone.plant(**tree, target=number % outputs, mode=mode)
    joined = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    together.plant(
        **joined,
        target=np.arange(3) % outputs,
        mode=np.array([LT, LT, IN]),
        sets={2: [3, 5]},
        splits=[2, 0, 1],
    )
    X = np.array([[x, y] for x in (0.0, 0.5, 1.0, np.nan) for y in (1.0, 1.5, 3.0, 5.0, np.nan)], np.float32)
    assert together.forest().raw(X) == pytest.approx(alone.forest().raw(X), abs=1e-12)
    assert together.forest().sets == alone.forest().sets
    assert len(np.unique(together.forest().raw(X), axis=0)) > 4
