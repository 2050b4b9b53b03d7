from __future__ import annotations

import time

import pytest

from flowml.automl.budget import MOST_RESERVE, Budget, export_seconds
from flowml.automl.shape import Shape
from flowml.storage.records import Task, TrialRecord, TrialState


def test_the_clock_counts_from_the_start_of_the_job() -> None:
    budget = Budget(60.0, started=time.time() - 20)
    assert budget.used() == pytest.approx(20, abs=0.5)
    assert budget.remaining() == pytest.approx(40, abs=0.5)
    assert 0 < budget.search_left() < budget.remaining()


def test_large_models_need_a_longer_finish() -> None:
    budget = Budget(60.0)
    before = budget.reserve()
    budget.learn(TrialRecord(1, "random_forest", {}, TrialState.FAILED, size_bytes=10**9))
    assert budget.reserve() == before
    budget.learn(TrialRecord(2, "random_forest", {}, TrialState.COMPLETE, size_bytes=30 * 2**20))
    assert budget.reserve() > before + 1
    budget.learn(TrialRecord(3, "random_forest", {}, TrialState.COMPLETE, size_bytes=10**9))
    assert budget.reserve() == pytest.approx(60 * MOST_RESERVE)


def test_the_finish_gets_time_for_the_best_trials_and_not_for_the_largest() -> None:
    def kept(maximize: bool) -> float:
        budget = Budget(60.0, maximize=maximize)
        for number in range(1, 8):
            size = 20 * 2**20 if number == 7 else 2**20
            facts = {"score": float(number), "size_bytes": size}
            budget.learn(TrialRecord(number, "lightgbm", {}, TrialState.COMPLETE, **facts))
        return budget.reserve()

    assert kept(maximize=True) > kept(maximize=False) + 3


@pytest.mark.parametrize("budget_s", [1.0, 5.0, 60.0, 3600.0])
def test_most_of_the_time_is_for_the_search(budget_s: float) -> None:
    budget = Budget(budget_s)
    assert budget.reserve() <= max(0.8, MOST_RESERVE * budget_s)


def _searching(budget_s: float, used_s: float, pace: float, successor_s: float = 0.0) -> Budget:
    """A budget of which so much was used before the search."""
    budget = Budget(budget_s, started=time.time() - used_s)
    shape = Shape(
        1000, 5, 5, 0, 0, 5, 2, 5, 800, 200, task=Task.BINARY, metric="roc_auc", direction="maximize", kept=5
    )
    budget.know(shape, None, 2)
    budget.keep_pace(pace, successor_s)
    budget.learn(TrialRecord(0, "logistic", {}, TrialState.COMPLETE, score=0.7, size_bytes=100))
    return budget


@pytest.mark.parametrize("budget_s", [3.0, 15.0, 60.0, 300.0])
def test_at_an_ordinary_pace_nothing_is_added(budget_s: float) -> None:
    budget = _searching(budget_s, 2.5, pace=1.0, successor_s=4.0)
    wanted = 2.0 + 0.03 * budget_s + budget._export()
    assert budget.reserve() == pytest.approx(min(max(wanted, 2.2 + budget._export()), max(0.8, budget_s / 4)))
    assert budget.finish_left() == pytest.approx(budget.remaining(), abs=0.05)


def test_where_things_take_longer_more_is_kept_for_the_finish() -> None:
    kept = [_searching(60.0, 5.0, pace).reserve() for pace in (1.0, 2.0, 4.0, 8.0)]
    assert kept == sorted(kept)
    assert kept[3] > 1.5 * kept[0]
    assert kept[3] <= (60 - 5) / 2 + 0.1


def test_a_late_search_still_gets_half_of_what_is_left() -> None:
    budget = _searching(30.0, 18.0, pace=12.0)
    assert budget.reserve() == pytest.approx(6.0, abs=0.1)
    assert budget.search_left() > 4


def test_a_model_on_time_goes_before_the_search() -> None:
    budget = _searching(15.0, 13.0, pace=8.0)
    record = TrialRecord(1, "lightgbm", {}, TrialState.COMPLETE, score=0.8, size_bytes=2**20)
    budget.learn(record)
    assert budget.reserve() == pytest.approx(8.0 * (0.25 + export_seconds(record) / 5 * 0.8))
    assert budget.search_left() < 0


def test_until_there_is_more_than_a_baseline_little_is_kept() -> None:
    budget = Budget(15.0, started=time.time() - 9.0)
    budget.keep_pace(5.0, 3.0)
    budget.learn(TrialRecord(0, "dummy", {}, TrialState.COMPLETE, score=0.5, size_bytes=100))
    assert budget.reserve() < 2.0
    budget.learn(TrialRecord(1, "logistic", {}, TrialState.COMPLETE, score=0.7, size_bytes=100))
    assert budget.reserve() > 3.0


def test_what_comes_after_the_finish_takes_longer_too() -> None:
    budget = _searching(60.0, 5.0, pace=6.0)
    assert 0.3 < budget.remaining() - budget.finish_left() < 1.5
