from __future__ import annotations

import dataclasses

import pytest

from flowml.storage import trials
from flowml.storage.db import Cursor
from flowml.storage.records import TrialRecord, TrialState

RUNNING = TrialRecord(3, "lightgbm", {"depth": 4}, TrialState.RUNNING)
COMPLETE = dataclasses.replace(RUNNING, state=TrialState.COMPLETE, score=0.9, fold_scores=(0.8, 1.0))


def test_a_trial_is_one_row_that_grows(cursor: Cursor) -> None:
    trials.upsert(cursor, "job-1", RUNNING)
    trials.upsert(cursor, "job-1", COMPLETE)
    trials.upsert(cursor, "job-1", COMPLETE)
    assert trials.list_(cursor, "job-1") == (COMPLETE,)
    assert trials.count(cursor, "job-1") == 1


@pytest.mark.parametrize("late", [TrialState.RUNNING, TrialState.LOST])
def test_late_news_never_replaces_how_a_trial_ended(cursor: Cursor, late: TrialState) -> None:
    trials.upsert(cursor, "job-1", COMPLETE)
    trials.upsert(cursor, "job-1", dataclasses.replace(RUNNING, state=late))
    assert trials.list_(cursor, "job-1") == (COMPLETE,)


def test_running_trials_are_lost_with_their_worker_and_may_still_end(cursor: Cursor) -> None:
    trials.upsert(cursor, "job-1", RUNNING)
    trials.upsert(cursor, "job-1", dataclasses.replace(COMPLETE, number=1))
    trials.upsert(cursor, "job-2", RUNNING)
    assert trials.lose_running(cursor, "job-1") == 1
    assert [trial.state for trial in trials.list_(cursor, "job-1")] == [TrialState.COMPLETE, TrialState.LOST]
    assert trials.list_(cursor, "job-2") == (RUNNING,)
    trials.upsert(cursor, "job-1", COMPLETE)
    assert trials.list_(cursor, "job-1")[1] == COMPLETE


def test_trials_of_a_job_can_be_forgotten(cursor: Cursor) -> None:
    trials.upsert(cursor, "job-1", RUNNING)
    trials.upsert(cursor, "job-2", RUNNING)
    trials.delete_of_job(cursor, "job-1")
    assert (trials.count(cursor, "job-1"), trials.count(cursor, "job-2")) == (0, 1)
