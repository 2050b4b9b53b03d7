"""The param that decides a score is found, whatever its kind, and too few trials tell nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flowml.automl.parameters import LEAST, parameter_importance
from flowml.storage.records import TrialRecord, TrialState


def tried(number: int, score: float, params: dict[str, Any]) -> TrialRecord:
    return TrialRecord(number, "lightgbm", params, TrialState.COMPLETE, score=score)


def study(number: int, decides: str) -> list[TrialRecord]:
    chance = random.Random(1)
    trials = []
    for n in range(number):
        params = {
            "rate": 10 ** chance.uniform(-4, 0),
            "leaves": chance.randint(4, 200),
            "kind": chance.choice(["a", "b", "c"]),
            "fixed": 3,
        }
        scores = {
            "rate": params["rate"] > 0.1,
            "leaves": params["leaves"] / 200,
            "kind": params["kind"] == "b",
        }
        trials.append(tried(n, float(scores[decides]) + chance.gauss(0, 0.05), params))
    return trials


@pytest.mark.parametrize("decides", ["rate", "leaves", "kind"])
def test_the_param_that_decides_comes_first(decides: str) -> None:
    found = parameter_importance(study(120, decides), "maximize")
    assert next(iter(found)) == decides
    assert set(found) == {"rate", "leaves", "kind"}
    assert sum(found.values()) == pytest.approx(1.0)


def test_less_may_be_better() -> None:
    turned = [tried(t.number, -(t.score or 0.0), t.params) for t in study(120, "leaves")]
    assert next(iter(parameter_importance(turned, "minimize"))) == "leaves"


def test_few_trials_and_params_that_do_not_differ_tell_nothing() -> None:
    assert parameter_importance(study(LEAST - 1, "rate"), "maximize") == {}
    assert parameter_importance([tried(n, n / 10, {"fixed": 1}) for n in range(40)], "maximize") == {}
    assert parameter_importance([tried(n, n / 10, {}) for n in range(40)], "maximize") == {}
    assert parameter_importance([], "maximize") == {}
