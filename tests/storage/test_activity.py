from __future__ import annotations

from dataclasses import replace

from flowml.storage import activity, jobs
from flowml.storage.db import Cursor
from flowml.storage.records import Day, Job, JobKind, JobSpec, JobState, Receipt

DAY = 86_400.0


def job(id: str, at: float, **more: object) -> Job:
    made = Job(id, JobKind.TRAINING, JobState.FINISHED, JobSpec("y"), created_at=at)
    return replace(made, **more)  # type: ignore[arg-type]


def test_jobs_are_counted_by_the_day_of_the_reader(cursor: Cursor) -> None:
    jobs.insert(cursor, job("a", 10 * DAY + 5, trials=7, receipt=Receipt(60.0, 50.0)))
    jobs.insert(
        cursor, job("b", 10 * DAY + 90, trials=3, state=JobState.FAILED, started_at=100.0, ended_at=130.5)
    )
    jobs.insert(cursor, job("c", 11 * DAY - 60, state=JobState.QUEUED))
    jobs.insert(cursor, job("d", 10 * DAY + 7, kind=JobKind.PREDICTION))
    jobs.insert(cursor, job("e", 10 * DAY + 8, project="secret", trials=100))
    jobs.insert(cursor, job("f", 2 * DAY))
    seen = {""}
    assert activity.days(cursor, 9 * DAY, projects=seen) == (Day(10 * DAY, 3, 10, 80.5, 1),)
    assert activity.days(cursor, 9 * DAY, offset_s=3600.0, projects=seen) == (
        Day(10 * DAY, 2, 10, 80.5, 1),
        Day(11 * DAY, 1, 0, 0.0, 0),
    )
    assert sum(day.jobs for day in activity.days(cursor, 0.0)) == 5
    assert activity.days(cursor, 12 * DAY) == ()
