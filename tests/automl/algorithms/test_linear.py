"""Our own solvers against scikit-learn's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from flowml.automl.algorithms.linear import fit_logistic, fit_ridge
from flowml.automl.algorithms.margins import fit as fit_margins
from flowml.storage.records import Task
from tests.automl.algorithms.folds import context, make_fold


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_regression_finds_the_optimum(task: Task, weighted: bool) -> None:
    fold = make_fold(task, rows=400, holes=False, categorical=False)
    weights = np.random.default_rng(0).random(len(fold.y)) if weighted else None
    ours = fit_logistic(replace(fold, weights=weights), {"C": 0.5, "rounds": 300}, context())
    theirs = LogisticRegression(C=0.5, tol=1e-6, max_iter=1000).fit(fold.X, fold.y, sample_weight=weights)
    assert ours.predict(fold.X_valid) == pytest.approx(theirs.predict_proba(fold.X_valid), abs=2e-3)


@pytest.mark.parametrize("columns", [5, 400])
@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_regression_finds_the_optimum(columns: int, weighted: bool) -> None:
    generator = np.random.default_rng(1)
    X = generator.normal(size=(150, columns)).astype(np.float32) + 3
    y = X[:, 0] - X[:, 1] + 0.1 * generator.normal(size=150)
    weights = generator.random(150) + 0.1 if weighted else None
    fold = replace(make_fold(Task.REGRESSION), X=X, y=y, weights=weights)
    ours = fit_ridge(fold, {"alpha": 0.01}, context())
    total = 150 if weights is None else weights.sum()
    theirs = Ridge(alpha=0.01 * total).fit(X.astype(np.float64), y, sample_weight=weights)
    assert ours.predict(X) == pytest.approx(theirs.predict(X), abs=1e-3)


def test_a_linear_support_vector_machine_ranks_as_that_of_scikit_learn() -> None:
    from sklearn.svm import LinearSVC

    fold = make_fold(Task.BINARY, rows=400, holes=False, categorical=False)
    ours = fit_margins(fold, {"C": 0.5, "rounds": 200}, context()).predict(fold.X_valid)[:, 1]
    theirs = LinearSVC(C=0.5, intercept_scaling=100, tol=1e-6).fit(fold.X, fold.y)
    scores = np.log(ours / (1 - ours)), theirs.decision_function(fold.X_valid)
    assert np.corrcoef(*scores)[0, 1] > 1 - 1e-6


def test_a_linear_support_vector_regression_finds_the_optimum() -> None:
    from sklearn.svm import LinearSVR

    fold = make_fold(Task.REGRESSION, rows=400, holes=False, categorical=False)
    ours = fit_margins(fold, {"C": 1.0, "epsilon": 0.2, "rounds": 200}, context())
    middle, spread = fold.y.mean(), fold.y.std()
    theirs = LinearSVR(
        C=1.0, epsilon=0.2, loss="squared_epsilon_insensitive", intercept_scaling=100, tol=1e-6
    )
    theirs.fit(fold.X, (fold.y - middle) / spread)
    assert ours.predict(fold.X_valid) == pytest.approx(
        theirs.predict(fold.X_valid) * spread + middle, abs=2e-3
    )
