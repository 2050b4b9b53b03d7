from __future__ import annotations

from typing import Any

import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.costs import MEANS, Costs
from flowml.automl.features import SUPERVISED
from flowml.storage.records import Json, Task, TrialRecord, TrialState
from tests.automl.algorithms.folds import shape_of

SHAPE = shape_of(Task.BINARY, rows=2000)


def defaults(algorithm: str) -> Json:
    return ALGORITHMS[algorithm].defaults(SHAPE)


def measured(algorithm: str, seconds: float, **changes: Any) -> TrialRecord:
    return TrialRecord(0, algorithm, defaults(algorithm), TrialState.COMPLETE, seconds=seconds, **changes)


def test_measured_seconds_correct_the_costs() -> None:
    costs = Costs(SHAPE)
    before, other = (costs.seconds(key, defaults(key)) for key in ("lightgbm", "xgboost"))
    for _ in range(3):
        costs.learn(measured("lightgbm", 10 * before))
    assert 6 * before < costs.seconds("lightgbm", defaults("lightgbm")) < 11 * before
    assert (
        other < costs.seconds("xgboost", defaults("xgboost")) < 10 * other
    )  # a slow machine is slow for all


def test_what_was_not_tried_yet_is_expected_at_the_pace_of_the_machine() -> None:
    ordinary, busy = Costs(SHAPE), Costs(SHAPE, pace=4.0)
    before = ordinary.seconds("lightgbm", defaults("lightgbm"))
    assert busy.seconds("lightgbm", defaults("lightgbm")) == pytest.approx(4 * before)
    for _ in range(5):
        busy.learn(measured("lightgbm", before))
    assert busy.seconds("lightgbm", defaults("lightgbm")) < 1.2 * before


def test_trials_that_did_not_take_their_own_time_teach_nothing() -> None:
    costs = Costs(SHAPE)
    before = costs.seconds("lightgbm", defaults("lightgbm"))
    costs.learn(measured("lightgbm", 1000 * before, cut=True))
    costs.learn(TrialRecord(1, "lightgbm", defaults("lightgbm"), TrialState.FAILED, seconds=1000 * before))
    assert costs.seconds("lightgbm", defaults("lightgbm")) == before


def test_a_trial_that_was_ended_takes_longer_than_it_was_given() -> None:
    costs = Costs(SHAPE)
    before = costs.seconds("lightgbm", defaults("lightgbm"))
    costs.exceeded("lightgbm", defaults("lightgbm"), None, before / 2)
    assert costs.seconds("lightgbm", defaults("lightgbm")) == before
    costs.exceeded("lightgbm", defaults("lightgbm"), None, 10 * before)
    assert costs.seconds("lightgbm", defaults("lightgbm")) > 4 * before


def test_the_first_trial_that_wants_an_encoding_pays_for_it() -> None:
    costs = Costs(shape_of(Task.BINARY, rows=300_000, onehot_columns=500))
    first, other = (
        costs.seconds("logistic", defaults("logistic")),
        costs.seconds("xgboost", defaults("xgboost")),
    )
    costs.learn(measured("logistic", first))
    assert costs.seconds("logistic", defaults("logistic")) < first - 4.0
    assert costs.seconds("xgboost", defaults("xgboost")) == pytest.approx(other)
    assert {key.removesuffix(MEANS): key for key in SUPERVISED} == {
        base: key for key, base in SUPERVISED.items()
    }


def test_more_rows_columns_and_classes_cost_more() -> None:
    for row in ALGORITHMS.values():
        if Task.MULTICLASS not in row.tasks:
            continue
        small = shape_of(Task.MULTICLASS, rows=5000)
        params = row.defaults(small)
        seconds = row.cost(small, params).seconds
        assert row.cost(shape_of(Task.MULTICLASS, rows=50_000), params).seconds > seconds
        if row.key == "dummy":
            continue
        wide = {"columns": 50, "onehot_columns": 60}
        assert row.cost(shape_of(Task.MULTICLASS, rows=5000, **wide), params).seconds > 1.2 * seconds
        # Machines of pairs of classes see fewer rows each, the more classes there are; to a network and to
        # distances classes matter little.
        if row.family not in ("kernel", "network", "neighbors"):
            wide["classes"] = 30
            assert row.cost(shape_of(Task.MULTICLASS, rows=5000, **wide), params).seconds > 1.5 * seconds
