"""Every row of ALGORITHMS with every task that it serves."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import cache

import numpy as np
import optuna
import pytest

from flowml.automl.algorithms import ALGORITHMS, algorithms_for
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Estimator, FoldTable
from flowml.automl.metrics import METRICS
from flowml.storage.errors import SpecError
from flowml.storage.records import Json, Task
from tests.automl.algorithms.folds import OUTPUTS, context, make_fold, shape_of

CASES = [(row, task) for row in ALGORITHMS.values() for task in sorted(row.tasks)]
IDS = [f"{row.key}-{task}" for row, task in CASES]
FEW = {"rounds": 40, "trees": 20, "epochs": 12}
each_case = pytest.mark.parametrize(("row", "task"), CASES, ids=IDS)


def fold_for(row: Algorithm, task: Task) -> FoldTable:
    """Those that want the one-hot encoding are given what it gives them: no holes."""
    return make_fold(task, holes=row.encoding != "onehot", categorical=row.encoding == "native")


def few(row: Algorithm, task: Task) -> Json:
    params = row.defaults(shape_of(task))
    return params | {name: value for name, value in FEW.items() if name in params and row.family != "linear"}


@cache
def fitted(key: str, task: Task) -> tuple[FoldTable, Estimator]:
    """With defaults, in as many rounds as a test can wait for."""
    row = ALGORITHMS[key]
    fold = fold_for(row, task)
    return fold, row.fit(fold, few(row, task), context())


@each_case
def test_it_learns_predicts_and_freezes(row: Algorithm, task: Task) -> None:
    fold, estimator = fitted(row.key, task)
    prediction = estimator.predict(fold.X_valid)
    rows = len(fold.X_valid)
    assert prediction.shape == ((rows,) if task is Task.REGRESSION else (rows, OUTPUTS[task]))
    if task is not Task.REGRESSION:
        assert prediction.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    metric = METRICS[fold.metric]
    baseline = ALGORITHMS["dummy"].fit(fold, {}, context()).predict(fold.X_valid)
    score = metric.score(fold.y_valid, prediction, None)
    if row.key != "dummy":
        assert metric.better(score, metric.score(fold.y_valid, baseline, None))
    frozen = estimator.freeze()
    assert frozen.format == row.format
    assert frozen.content
    assert not estimator.cut


@each_case
def test_the_same_seed_gives_the_same_model(row: Algorithm, task: Task) -> None:
    fold, first = fitted(row.key, task)
    second = row.fit(fold, few(row, task), context())
    assert np.array_equal(first.predict(fold.X_valid), second.predict(fold.X_valid))


@each_case
def test_asking_for_the_rounds_it_kept_gives_the_same_model(row: Algorithm, task: Task) -> None:
    fold, first = fitted(row.key, task)
    again = row.fit(fold, few(row, task), context(rounds=first.rounds or None))
    assert again.rounds == first.rounds
    assert np.array_equal(first.predict(fold.X_valid), again.predict(fold.X_valid))


@each_case
def test_a_fit_that_the_deadline_cut_can_be_done_again(row: Algorithm, task: Task) -> None:
    fold, params = fold_for(row, task), row.defaults(shape_of(task))
    first = row.fit(fold, params, context(seconds=-1.0))
    again = row.fit(fold, params, context(rounds=first.rounds or None))
    assert first.rounds or not first.cut
    assert np.array_equal(first.predict(fold.X_valid), again.predict(fold.X_valid))


@each_case
def test_defaults_lie_in_the_search_space(row: Algorithm, task: Task) -> None:
    for shape in (shape_of(task), shape_of(task, rows=100_000, skewed=task is Task.REGRESSION)):
        defaults = row.defaults(shape)
        assert row.space(optuna.trial.FixedTrial(defaults), shape) == defaults
        assert row.cost(shape, defaults).seconds > 0


@each_case
def test_its_cost_grows_with_the_table(row: Algorithm, task: Task) -> None:
    shapes = [shape_of(task, rows=rows) for rows in (200, 5_000, 100_000)]
    costs = [row.cost(shape, row.defaults(shape)) for shape in shapes]
    assert 0 < costs[0].seconds < costs[1].seconds < costs[2].seconds
    assert 0 < costs[0].memory <= costs[1].memory <= costs[2].memory


@each_case
def test_lighter_is_lighter(row: Algorithm, task: Task) -> None:
    if row.lighter is None:
        return
    shape = shape_of(task, rows=20_000)
    whole = row.defaults(shape)
    assert row.cost(shape, row.lighter(whole, 0.5)).seconds < row.cost(shape, whole).seconds
    fold, estimator = fitted(row.key, task)
    half = row.lighter(few(row, task), 0.5)
    if row.family != "linear" and row.key not in ("mlp", "ada_boost"):  # other steps, maybe more of them
        assert row.fit(fold, half, context()).rounds <= estimator.rounds


@each_case
def test_sampled_params_can_be_fitted(row: Algorithm, task: Task) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=5))
    shape = shape_of(task, skewed=task is Task.REGRESSION)
    fold = fold_for(row, task)
    for _ in range(2):
        params = row.space(study.ask(), shape)
        params |= {name: value for name, value in FEW.items() if name in params}
        estimator = row.fit(fold, params, context())
        assert np.isfinite(estimator.predict(fold.X_valid)).all()


@each_case
def test_a_passed_deadline_still_gives_a_model_at_once(row: Algorithm, task: Task) -> None:
    fold, params = fold_for(row, task), row.defaults(shape_of(task))
    began = time.monotonic()
    estimator = row.fit(fold, params, context(seconds=-1.0))
    assert time.monotonic() - began < 20.0
    assert np.isfinite(estimator.predict(fold.X_valid)).all()
    if row.family in ("boosting", "forest"):
        assert estimator.cut
        assert 0 < estimator.rounds <= 3


@pytest.mark.parametrize("task", sorted(ALL_TASKS))
def test_rounds_that_look_at_no_column_do_no_harm(task: Task) -> None:
    row = ALGORITHMS["catboost"]
    fold = make_fold(task, categorical=False)
    params = few(row, task) | {"rsm": 0.05, "rounds": 300, "learning_rate": 0.05}
    estimator = row.fit(fold, params, context())
    trees = json.loads(estimator.freeze().content)["oblivious_trees"]
    assert len(trees) == estimator.rounds
    assert sum(not tree["splits"] for tree in trees) > len(trees) / 2
    again = row.fit(fold, params, context(rounds=estimator.rounds))
    assert np.array_equal(estimator.predict(fold.X_valid), again.predict(fold.X_valid))


@each_case
def test_weights_count(row: Algorithm, task: Task) -> None:
    """With half of the targets upside down, it learns more if those rows have almost no weight."""
    fold = fold_for(row, task)
    right = np.random.default_rng(2).random(len(fold.y)) < 0.6
    fold = replace(fold, y=np.where(right, fold.y, fold.y.max() - fold.y))
    params = few(row, task) | ({"min_samples_leaf": 5} if row.family == "forest" else {})
    metric = METRICS[fold.metric]
    plain = row.fit(fold, params, context()).predict(fold.X_valid)
    weighted = row.fit(replace(fold, weights=np.where(right, 1.0, 1e-6)), params, context())
    score = metric.score(fold.y_valid, weighted.predict(fold.X_valid), None)
    if row.key != "dummy":
        assert metric.better(score, metric.score(fold.y_valid, plain, None))


@pytest.mark.parametrize("row", algorithms_for(Task.MULTICLASS), ids=lambda row: row.key)
def test_a_class_that_the_fold_never_saw_gets_a_column(row: Algorithm) -> None:
    fold = fold_for(row, Task.MULTICLASS)
    seen = fold.y != 2
    fold = replace(fold, X=fold.X[seen], y=fold.y[seen])
    estimator = row.fit(fold, few(row, Task.MULTICLASS), context())
    prediction = estimator.predict(fold.X_valid)
    assert prediction.shape[1] == 3
    assert prediction[:, 2].mean() < 0.2
    assert estimator.freeze().n_outputs == 3


def test_unknown_algorithms_are_named_with_those_that_are_known() -> None:
    with pytest.raises(SpecError, match=r"Unknown algorithm 'lightgmb'.*mean 'lightgbm'.*catboost"):
        algorithms_for(Task.BINARY, ["lightgmb"])


def test_algorithms_of_another_task_alone_are_refused() -> None:
    with pytest.raises(SpecError, match="serves a binary task"):
        algorithms_for(Task.BINARY, ["ridge"])
    assert [row.key for row in algorithms_for(Task.BINARY, ["ridge", "catboost"])] == ["catboost"]
