"""Naive Bayes against scikit-learn's, and what makes it less sure than that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flowml.automl.algorithms import squash
from flowml.automl.algorithms.bayes import fit, raw_scores
from flowml.automl.algorithms.row import FoldTable
from flowml.automl.metrics import METRICS
from flowml.storage.records import Task
from tests.automl.algorithms.folds import context, make_fold


def of_numbers(task: Task, weighted: bool = False) -> FoldTable:
    fold = make_fold(task, rows=400, holes=False, categorical=False)
    return replace(fold, weights=np.random.default_rng(0).random(len(fold.y)) if weighted else None)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_numbers_count_as_in_scikit_learn(task: Task, weighted: bool) -> None:
    from sklearn.naive_bayes import GaussianNB

    fold = of_numbers(task, weighted)
    arrays = fit(fold, {"smoothing": 0.0}, context()).arrays
    learned, asked = (squash.apply(arrays, X) for X in (fold.X, fold.X_valid))
    theirs = GaussianNB(var_smoothing=0.0).fit(learned, fold.y, fold.weights).predict_log_proba(asked)
    ours = raw_scores(arrays, fold.X_valid)
    first = ours[:, 0] if task is Task.BINARY else ours[:, 1] - ours[:, 0]
    assert np.corrcoef(first, theirs[:, 1] - theirs[:, 0])[0, 1] > 1 - 1e-5


def test_flags_count_as_in_scikit_learn() -> None:
    from sklearn.naive_bayes import BernoulliNB

    draw = np.random.default_rng(2)
    y = draw.integers(0, 2, 500)
    X = (draw.random((500, 4)) < 0.3 + 0.4 * y[:, None] * np.array([1.0, 0.5, 0.0, 0.2])).astype(np.float32)
    fold = replace(make_fold(Task.BINARY), X=X, y=y, X_valid=X, y_valid=y)
    ours = raw_scores(fit(fold, {"smoothing": 0.05}, context()).arrays, X)[:, 0]
    theirs = BernoulliNB(alpha=0.5).fit(X, y).predict_log_proba(X)
    assert np.corrcoef(ours, theirs[:, 1] - theirs[:, 0])[0, 1] > 1 - 1e-4


def test_columns_that_repeat_each_other_do_not_make_it_sure() -> None:
    fold = make_fold(Task.BINARY, rows=400, holes=False, categorical=False)
    repeated = replace(fold, X=np.tile(fold.X, 20), X_valid=np.tile(fold.X_valid, 20))
    losses = [
        METRICS["log_loss"].score(
            each.y_valid, fit(each, {"smoothing": 0.05}, context()).predict(each.X_valid), None
        )
        for each in (fold, repeated)
    ]
    assert losses[1] < losses[0] + 0.02
