from __future__ import annotations

import time

import pytest

from flowml.automl.budget import MOST_RESERVE, Budget
from flowml.storage.records import TrialRecord, TrialState


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
