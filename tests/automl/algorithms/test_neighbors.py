"""Nearest neighbours: what tells counts, and no tie makes an answer jump."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flowml.automl.algorithms.neighbors import FEWEST_ROWS, PROBE, fit, raw_scores
from flowml.automl.algorithms.row import FoldTable
from flowml.storage.records import Json, Task
from tests.automl.algorithms.folds import context, make_fold

PARAMS: Json = {"rows": 4000, "k": 5, "relevance": 1.0, "strength": 0.1}


def on_a_grid(rows: int = 300) -> FoldTable:
    """Many rows at each place, of both classes, and many places equally far from each other."""
    draw = np.random.default_rng(0)
    X = draw.integers(0, 4, (rows, 3)).astype(np.float32)
    y = draw.integers(0, 2, rows)
    return replace(make_fold(Task.BINARY), X=X, y=y, X_valid=X[:50], y_valid=y[:50])


def test_rows_a_hair_apart_are_answered_alike() -> None:
    fold = on_a_grid()
    model = fit(fold, PARAMS, context())
    beside = fold.X_valid * np.float32(1 + 1e-6)
    assert model.predict(beside) == pytest.approx(model.predict(fold.X_valid), abs=1e-3)


def test_the_order_of_the_rows_does_not_matter() -> None:
    fold = on_a_grid()
    turned = replace(fold, X=fold.X[::-1], y=fold.y[::-1])
    first, second = (fit(each, PARAMS, context()).predict(fold.X_valid) for each in (fold, turned))
    assert first == pytest.approx(second, abs=1e-6)


def test_columns_that_say_nothing_hardly_count() -> None:
    draw = np.random.default_rng(1)
    X = draw.normal(size=(400, 12)).astype(np.float32)
    y = X[:, 0] * 3.0
    fold = replace(make_fold(Task.REGRESSION), X=X[:300], y=y[:300], X_valid=X[300:], y_valid=y[300:])

    def error(relevance: float) -> float:
        predicted = fit(fold, PARAMS | {"relevance": relevance}, context()).predict(fold.X_valid)
        return float(np.std(predicted - fold.y_valid))

    assert error(1.0) < 0.6 * error(0.0)


def test_it_keeps_as_many_rows_as_there_is_time_to_look_at() -> None:
    fold = make_fold(Task.BINARY, rows=6000, holes=False)
    assert len(fold.X_valid) > PROBE
    cut = fit(fold, PARAMS, context(seconds=-1.0))
    assert cut.cut
    assert cut.rounds == len(cut.arrays["vectors"]) == FEWEST_ROWS
    again = fit(fold, PARAMS, context(rounds=cut.rounds))
    assert np.array_equal(raw_scores(again.arrays, fold.X_valid), raw_scores(cut.arrays, fold.X_valid))
    whole = fit(fold, PARAMS, context())
    assert (whole.cut, whole.rounds, len(whole.arrays["vectors"])) == (False, 0, 4000)
