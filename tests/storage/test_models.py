from __future__ import annotations

import dataclasses

import pytest

from flowml.storage import jobs, models, trials
from flowml.storage.db import Cursor
from flowml.storage.errors import NotFound
from flowml.storage.records import (
    Artifact,
    Importance,
    Job,
    JobKind,
    JobSpec,
    JobState,
    LeaderboardRow,
    Model,
    ModelEntry,
    ModelSummary,
    Task,
    TrialRecord,
    TrialState,
)

MODEL = Model(
    "model-1",
    "job-1",
    "ensemble",
    "ensemble",
    Task.BINARY,
    "roc_auc",
    0.95,
    created_at=1.0,
    onnx=Artifact("0" * 64, 1000),
    members=("lightgbm", "ridge"),
    weights=(0.6, 0.4),
    importances=(Importance("tenure", 0.1, 0.01),),
    contract={"columns": [], "target": "y"},
)


def make_job(cursor: Cursor, direction: str = "maximize") -> None:
    job = Job("job-1", JobKind.TRAINING, JobState.RUNNING, JobSpec("y"), 1.0, metric="m", direction=direction)
    jobs.insert(cursor, job)


def make_trial(number: int, score: float | None, state: TrialState = TrialState.COMPLETE) -> TrialRecord:
    return TrialRecord(
        number, f"algorithm-{number}", {}, state, score=score, cause="no memory" if score is None else ""
    )


def test_a_model_comes_back_equal_and_a_second_arrival_changes_nothing(cursor: Cursor) -> None:
    models.insert(cursor, MODEL)
    models.insert(cursor, dataclasses.replace(MODEL, name="other"))
    assert models.get(cursor, "model-1") == MODEL
    with pytest.raises(NotFound, match="model-2"):
        models.get(cursor, "model-2")


def test_models_of_a_job_come_with_the_champion_first(cursor: Cursor) -> None:
    models.insert(cursor, dataclasses.replace(MODEL, champion=True))
    models.insert(cursor, dataclasses.replace(MODEL, id="model-2", created_at=2.0))
    models.insert(cursor, dataclasses.replace(MODEL, id="model-3", job_id="job-2", created_at=3.0))
    assert [model.id for model in models.list_(cursor)] == ["model-3", "model-2", "model-1"]
    assert [model.id for model in models.list_(cursor, "job-1")] == ["model-1", "model-2"]
    oldest = models.summaries(cursor, limit=2, offset=1)[-1]
    assert oldest == ModelSummary("model-1", "job-1", "ensemble", "y", "roc_auc", 0.95, 1000, 1.0)
    assert models.summaries(cursor, ["p"]) == ()
    models.delete_of_job(cursor, "job-1")
    assert [model.id for model in models.list_(cursor)] == ["model-3"]


def test_lists_of_choices_read_the_champions_of_ended_jobs_alone(cursor: Cursor) -> None:
    spec = JobSpec("y", name="nightly")
    for number, (state, champion) in enumerate(
        [(JobState.FINISHED, "m0"), (JobState.RUNNING, "m1"), (JobState.FAILED, ""), (JobState.STOPPED, "m3")]
    ):
        jobs.insert(
            cursor,
            Job(
                f"job-{number}", JobKind.TRAINING, state, spec, float(number), dataset_name="a 'b' \"c\"",
                metric="f1", best_score=None if number else 0.5, champion=champion, ended_at=9.0,
                project="" if number else "p",
            ),
        )  # fmt: skip
    newest, oldest = models.entries(cursor)
    assert (newest.id, newest.score) == ("m3", None)
    assert oldest == ModelEntry("m0", "job-0", "nightly", "a 'b' \"c\"", "y", "f1", 0.5, 9.0)
    assert [entry.id for entry in models.entries(cursor, [""])] == ["m3"]
    assert models.entries(cursor, limit=1) == (newest,)


@pytest.mark.parametrize(("direction", "numbers"), [("maximize", [1, 0, 3]), ("minimize", [0, 3, 1])])
def test_complete_trials_rank_by_the_jobs_direction(
    cursor: Cursor, direction: str, numbers: list[int]
) -> None:
    make_job(cursor, direction)
    for number, score in enumerate((0.2, 0.9, None, 0.2)):
        state = TrialState.COMPLETE if score is not None else TrialState.FAILED
        trials.upsert(cursor, "job-1", make_trial(number, score, state))
    trials.upsert(cursor, "job-1", make_trial(4, float("nan")))
    rows = models.leaderboard(cursor, "job-1")
    assert [row.trial for row in rows if row.rank] == numbers
    assert [row.rank for row in rows] == [1, 2, 3, None, None]
    assert rows[3].cause == "no memory"


def test_a_model_joins_the_row_of_its_trial_and_the_ensemble_has_its_own(cursor: Cursor) -> None:
    make_job(cursor)
    trials.upsert(cursor, "job-1", dataclasses.replace(make_trial(0, 0.9), rows=10_000))
    told = {"name": "best single", "trial": 0, "latency_ms": 0.2, "card": {"rows_per_second": 5e5}}
    models.insert(cursor, dataclasses.replace(MODEL, id="model-2", **told))
    models.insert(cursor, MODEL)
    jobs.update(cursor, "job-1", champion="model-1")
    ensemble, single = models.leaderboard(cursor, "job-1")
    assert (ensemble.model_id, ensemble.trial, ensemble.champion, ensemble.rank) == ("model-1", None, True, 1)
    assert (single.model_id, single.trial, single.champion, single.rank) == ("model-2", 0, False, 2)
    assert (single.name, single.latency_ms, single.size_bytes) == ("best single", 0.2, 1000)
    assert (single.rows, single.rows_per_second) == (10_000, 5e5)


def test_the_rows_that_the_job_measured_win(cursor: Cursor) -> None:
    make_job(cursor)
    trials.upsert(cursor, "job-1", make_trial(0, 0.9))
    measured = LeaderboardRow(
        1, "best", "ridge", 0.9, 0.1, "m", 1.0, 0.3, 900, TrialState.COMPLETE, params={"a": 1}
    )
    models.put_leaderboard(cursor, "job-1", [dataclasses.replace(measured, name="first arrival")])
    models.put_leaderboard(cursor, "job-1", [measured])
    assert models.leaderboard(cursor, "job-1") == (measured,)


def test_a_leaderboard_of_no_job_is_refused(cursor: Cursor) -> None:
    with pytest.raises(NotFound, match="job-9"):
        models.leaderboard(cursor, "job-9")
