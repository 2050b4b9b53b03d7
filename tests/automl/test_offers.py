"""What is offered as the champion, when not everything can be afforded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from flowml.automl import offers as module
from flowml.automl.offers import FASTEST, SLOWEST, expected_s, pace_of
from flowml.automl.offers import offers as offered
from flowml.automl.sizes import few, served_share
from flowml.storage.records import TrialRecord, TrialState
from tests.automl.tables import prepared

MB = 2**20


def record(number: int, size: int, algorithm: str = "lightgbm") -> TrialRecord:
    return TrialRecord(number, algorithm, {}, TrialState.COMPLETE, size_bytes=size)


def test_a_pace_is_learned_from_one_export() -> None:
    one = [record(1, 4 * MB)]
    assert pace_of(one, 3 * expected_s(one)) == pytest.approx(3.0)
    assert expected_s(one, 3.0) == pytest.approx(3 * expected_s(one))
    assert (pace_of(one, 1e9), pace_of(one, 0.0)) == (SLOWEST, FASTEST)
    assert pace_of(one, expected_s(one, 2.0, share=0.2), share=0.2) == pytest.approx(2.0)


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
        def affordable(members: Sequence[TrialRecord]) -> bool:
            return sum(one.size_bytes for one in members) <= limit

        return list(offered(prepared(), tmp_path, None, best_first, affordable))

    assert singles(60 * MB)[:2] == [2, 3]
    assert singles(1) == [2, 0]
