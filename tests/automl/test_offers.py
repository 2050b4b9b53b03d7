"""What is offered as the champion, when not everything can be afforded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowml.automl import offers as module
from flowml.automl.blend import Blend
from flowml.automl.offers import FASTEST, SLOWEST, expected_s, folds_in_time, pace_of
from flowml.automl.offers import offers as offered
from flowml.automl.sizes import few, served_share
from flowml.storage.records import TrialRecord, TrialState
from tests.automl.tables import prepared

MB = 2**20


def record(number: int, size: int, algorithm: str = "lightgbm") -> TrialRecord:
    return TrialRecord(number, algorithm, {}, TrialState.COMPLETE, size_bytes=size)


def test_a_pace_is_learned_from_one_export() -> None:
    one = [record(1, 4 * MB)]
    assert 2.0 < pace_of(one, 3 * expected_s(one)) < 3.0
    assert pace_of(one, expected_s(one)) == 1.0
    assert (
        pace_of([record(1, 100)], 4 * expected_s([record(1, 100)])) < 2.0
    )  # of what is short little is learned
    assert expected_s(one, 3.0) == pytest.approx(3 * expected_s(one))
    assert (pace_of(one, 1e9), pace_of(one, 0.0)) == (SLOWEST, FASTEST)
    assert pace_of(one, expected_s(one, share=0.2), share=0.2) == 1.0
    assert pace_of(one, 4 * expected_s(one), known=4.0) == pytest.approx(4.0)
    assert 2.0 < pace_of([record(1, 100)], expected_s([record(1, 100)]), known=4.0) < 4.0


def test_an_export_is_of_what_the_limit_of_size_leaves() -> None:
    large = [record(1, 100 * MB)]
    assert served_share(large, 5, None) == 1.0
    assert served_share(large, 5, 20 * MB) == 3 / 5
    assert served_share(large, 5, 10 * MB) == 1 / 5  # two would fit: one of all rows is better
    assert few(2, 5)
    assert not few(3, 5)
    assert few(1, 1)
    assert expected_s(large, share=0.2) < expected_s(large) / 3


def test_what_is_too_heavy_is_passed_over_until_nothing_else_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "single", lambda _prepared, _work, one: one.number)
    best_first = [record(4, 90 * MB), record(2, 2 * MB), record(3, 50 * MB), record(0, 10, "dummy")]

    def singles(limit: int) -> list[object]:
        def affordable(members: Sequence[TrialRecord], _: int) -> bool:
            return sum(one.size_bytes for one in members) <= limit

        return list(offered(prepared(), tmp_path, None, best_first, affordable))

    assert singles(60 * MB)[:2] == [2, 3]
    assert singles(1) == [2, 0]


def test_a_blend_that_lost_members_is_worth_it_only_if_it_beats_the_best_trial(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def blend(score: float, *members: TrialRecord) -> Blend:
        return Blend(members, (1 / len(members),) * len(members), np.zeros(0), score, ())

    best_first = [replace(record(number, 2 * MB), score=0.9) for number in (1, 2, 3)]
    mixed = [blend(0.95, *best_first), blend(0.89, *best_first[:2]), blend(0.88, best_first[0])]
    monkeypatch.setattr(module, "without", lambda _p, _w, one, _dropped: mixed[mixed.index(one) + 1])
    monkeypatch.setattr(module, "single", lambda _prepared, _work, one: one)
    table = prepared(metric="roc_auc")
    offers = list(offered(table, tmp_path, mixed[0], best_first, lambda members, _: len(members) < 3))
    assert offers[0] is best_first[0]
    offers = list(offered(table, tmp_path, mixed[0], best_first, lambda *_: True))
    assert offers[:2] == [mixed[0], best_first[0]]


def test_as_many_fold_models_as_time_has_room_for() -> None:
    one = [record(1, 10 * MB)]
    whole_s = expected_s(one, 2.0)
    assert folds_in_time(one, whole_s + 0.01, 2.0, 5, 5) == 5
    assert folds_in_time(one, whole_s + 0.01, 2.0, 5, 3) == 3
    assert folds_in_time(one, whole_s + 0.01, 4.0, 5, 5) == 2
    assert folds_in_time(one, expected_s((), 2.0), 2.0, 5, 5) == 0
    assert folds_in_time(one, -1.0, 2.0, 5, 5) == 0
