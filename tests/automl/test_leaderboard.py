from __future__ import annotations

import numpy as np

from flowml.automl.blend import Blend
from flowml.automl.leaderboard import Speed, leaderboard
from flowml.storage.records import TrialRecord, TrialState


def record(number: int, algorithm: str, score: float | None) -> TrialRecord:
    state = TrialState.COMPLETE if score is not None else TrialState.FAILED
    cause = "" if score is not None else "It failed."
    return TrialRecord(number, algorithm, {}, state, metric="rmse", score=score, cause=cause)


RECORDS = (
    record(0, "dummy", 9.0),
    record(1, "ridge", 4.0),
    record(2, "lasso", None),
    record(3, "catboost", 3.0),
)


def test_rows_rank_by_the_direction_of_the_metric_and_failures_do_not() -> None:
    champion = Blend(RECORDS[3:], (1.0,), np.zeros(3), 3.0, (3.0,))
    rows = leaderboard(RECORDS, champion, {(1,): "Too slow."}, {3: Speed(0.5, 1000.0, 77)}, "rmse")
    assert [(row.rank, row.trial) for row in rows] == [(1, 3), (2, 1), (3, 0), (None, 2)]
    assert [row.champion for row in rows] == [True, False, False, False]
    assert [row.cause for row in rows] == ["", "Too slow.", "", "It failed."]
    assert (rows[0].latency_ms, rows[0].rows_per_second, rows[0].size_bytes) == (0.5, 1000.0, 77)
    assert rows[1].latency_ms is None


def test_an_ensemble_has_a_row_of_its_own() -> None:
    members = (RECORDS[1], RECORDS[3])
    blend = Blend(members, (0.25, 0.75), np.zeros(3), 2.5, (2.4, 2.6))
    first = leaderboard(RECORDS, blend, {}, {None: Speed(1.0, 10.0, 5)}, "rmse")[0]
    assert (first.name, first.trial, first.champion, first.rank) == ("Ensemble of 2", None, True, 1)
    assert first.params == {"Ridge regression 1": 0.25, "CatBoost 3": 0.75}
    assert first.score_std is not None
    assert round(first.score_std, 3) == 0.1
