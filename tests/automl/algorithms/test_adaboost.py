"""AdaBoost against scikit-learn's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flowml.automl.algorithms.adaboost import fit
from flowml.storage.records import Json, Task
from tests.automl.algorithms.folds import context, make_fold

PARAMS: Json = {
    "rounds": 30,
    "learning_rate": 0.5,
    "max_depth": 2,
    "min_samples_leaf": 5,
    "max_features": 1.0,
}


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_its_votes_are_those_of_scikit_learn(task: Task) -> None:
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    fold = make_fold(task, rows=400, holes=False, categorical=False)
    ours = fit(fold, PARAMS, context(rounds=30))
    tree = DecisionTreeClassifier(max_depth=2, min_samples_leaf=5)
    theirs = AdaBoostClassifier(tree, n_estimators=30, learning_rate=0.5, random_state=0).fit(fold.X, fold.y)
    votes = theirs.decision_function(fold.X_valid)
    probabilities = ours.predict(fold.X_valid)
    scores = np.log(probabilities[:, 1] / probabilities[:, 0])
    wanted = votes if task is Task.BINARY else votes[:, 1] - votes[:, 0]
    assert np.corrcoef(scores, wanted)[0, 1] > 0.999


def test_many_trees_are_better_than_one() -> None:
    fold = make_fold(Task.REGRESSION, rows=600, holes=False, categorical=False)
    deep = PARAMS | {"max_depth": 8, "rounds": 60}
    errors = [
        float(np.mean((fit(fold, deep, context(rounds=rounds)).predict(fold.X_valid) - fold.y_valid) ** 2))
        for rounds in (1, 60)
    ]
    assert errors[1] < 0.8 * errors[0]


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_it_ends_when_a_tree_makes_no_mistake(task: Task) -> None:
    fold = make_fold(task, rows=200, holes=False)
    fold = replace(fold, X=np.repeat(fold.X[:20], 6, axis=0), y=np.repeat(fold.y[:20], 6))
    model = fit(fold, PARAMS | {"max_depth": 14, "min_samples_leaf": 1, "rounds": 100}, context(rounds=100))
    assert 1 <= model.rounds <= 100
    assert len(model.trees) < 100
    assert np.isfinite(model.predict(fold.X_valid)).all()
