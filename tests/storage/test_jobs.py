from __future__ import annotations

import pytest

from flowml.storage import jobs, logs, models, trials
from flowml.storage.db import Cursor
from flowml.storage.errors import Conflict, NotFound
from flowml.storage.records import (
    Finding,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Level,
    LogLine,
    Phase,
    Receipt,
    Severity,
    TrialRecord,
    TrialState,
)


def make_job(id: str, state: JobState = JobState.QUEUED, at: float = 1.0, dataset: str = "dataset-1") -> Job:
    return Job(id, JobKind.TRAINING, state, JobSpec("churn", dataset_id=dataset), created_at=at)


def test_a_job_comes_back_equal_with_all_that_is_nested(cursor: Cursor) -> None:
    job = Job(
        "job-1",
        JobKind.TRAINING,
        JobState.FINISHED,
        JobSpec("Größe", algorithms=("lightgbm",)),
        created_at=1.5,
        direction="minimize",
        receipt=Receipt(60.0, 59.2, (Phase("search", 50.0),), {"complete": 3}),
        findings=(Finding("constant", Severity.NOTE, "x never changes", "x"),),
    )
    jobs.insert(cursor, job)
    assert jobs.get(cursor, "job-1") == job


def test_an_unknown_job_and_a_second_one_of_the_same_id_are_refused(cursor: Cursor) -> None:
    with pytest.raises(NotFound, match="job-9"):
        jobs.get(cursor, "job-9")
    jobs.insert(cursor, make_job("job-1"))
    with pytest.raises(Conflict, match="job-1"):
        jobs.insert(cursor, make_job("job-1"))


def test_the_list_is_newest_first_and_can_be_narrowed(cursor: Cursor) -> None:
    for number, state in enumerate((JobState.FINISHED, JobState.RUNNING, JobState.QUEUED)):
        jobs.insert(cursor, make_job(f"job-{number}", state, at=number, dataset=f"dataset-{number % 2}"))

    def ids(found: tuple[Job, ...]) -> list[str]:
        return [job.id for job in found]

    assert ids(jobs.list_(cursor)) == ["job-2", "job-1", "job-0"]
    assert ids(jobs.list_(cursor, states={JobState.RUNNING, JobState.QUEUED})) == ["job-2", "job-1"]
    assert ids(jobs.list_(cursor, states=())) == []
    assert ids(jobs.list_(cursor, kind=JobKind.PREDICTION)) == []
    assert ids(jobs.list_(cursor, dataset_id="dataset-0")) == ["job-2", "job-0"]
    assert ids(jobs.list_(cursor, limit=1, offset=1)) == ["job-1"]
    assert jobs.count(cursor) == 3
    assert jobs.count(cursor, [JobState.RUNNING]) == 1


def test_an_update_changes_what_it_names_and_is_found_by_its_new_state(cursor: Cursor) -> None:
    jobs.insert(cursor, make_job("job-1"))
    changed = jobs.update(cursor, "job-1", state=JobState.RUNNING, worker="attic", best_score=0.8)
    assert changed == jobs.get(cursor, "job-1")
    assert (changed.worker, changed.best_score, changed.spec.target) == ("attic", 0.8, "churn")
    assert jobs.list_(cursor, states=[JobState.RUNNING]) == (changed,)


@pytest.mark.parametrize("late", [JobState.RUNNING, JobState.QUEUED, JobState.FINISHED, JobState.FAILED])
def test_an_ended_job_never_changes_its_state(cursor: Cursor, late: JobState) -> None:
    jobs.insert(cursor, make_job("job-1", JobState.CANCELLED))
    assert jobs.update(cursor, "job-1", state=late, worker="late").state is JobState.CANCELLED
    assert jobs.get(cursor, "job-1").worker == ""
    assert jobs.update(cursor, "job-1", champion="model-1").champion == "model-1"


def test_deleting_takes_all_that_belongs_to_the_job(cursor: Cursor) -> None:
    jobs.insert(cursor, make_job("job-1"))
    trials.upsert(cursor, "job-1", TrialRecord(0, "dummy", {}, TrialState.COMPLETE))
    models.put_leaderboard(cursor, "job-1", ())
    logs.append(cursor, [LogLine(1.0, Level.INFO, "attic", "hello", job_id="job-1")])
    with pytest.raises(Conflict, match="queued"):
        jobs.delete(cursor, "job-1")
    jobs.update(cursor, "job-1", state=JobState.FAILED)
    jobs.delete(cursor, "job-1")
    assert trials.list_(cursor, "job-1") == ()
    assert logs.query(cursor) == ()
    with pytest.raises(NotFound):
        jobs.delete(cursor, "job-1")


def test_every_table_of_a_job_has_its_column(cursor: Cursor) -> None:
    sql = "SELECT table_name FROM duckdb_columns() WHERE column_name = 'job_id'"
    assert {name for (name,) in cursor.execute(sql).fetchall()} == set(jobs.TABLES_OF_A_JOB)
