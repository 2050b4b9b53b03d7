"""The table of jobs: what a user asked for, and how it stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.errors import Conflict, NotFound
from flowml.storage.records import ACTIVE, ENDED, Job, JobKind, JobState

TABLES_OF_A_JOB = ("trial", "model", "job_leaderboard", "log")


def insert(cursor: Cursor, job: Job) -> None:
    known = rows.number(cursor, "SELECT count(*) FROM job WHERE id = ?", [job.id])
    if known:
        raise Conflict(f"There is a job {job.id} already.")
    cursor.execute("INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?)", _columns(job))


def get(cursor: Cursor, id: str) -> Job:
    found = rows.select(cursor, Job, "SELECT record FROM job WHERE id = ?", [id])
    if not found:
        raise unknown(id)
    return found[0]


def unknown(id: str) -> NotFound:
    return NotFound(f"There is no job {id}.", "It may have been deleted.")


def list_(
    cursor: Cursor,
    states: Collection[JobState] | None = None,
    kind: JobKind | None = None,
    dataset_id: str | None = None,
    limit: int = 100,
    offset: int = 0,
    projects: Collection[str] | None = None,
) -> tuple[Job, ...]:
    """Newest first."""
    condition, values = rows.where(
        state=_tuple(states), kind=kind, dataset_id=dataset_id, project=_names(projects)
    )
    sql = f"SELECT record FROM job{condition} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
    return rows.select(cursor, Job, sql, [*values, limit, offset])


def among(cursor: Cursor, ids: Collection[str], projects: Collection[str]) -> set[str]:
    """Those of the ids that lie in these projects."""
    condition, values = rows.where(id=tuple(ids), project=_names(projects))
    return {str(id) for (id,) in cursor.execute(f"SELECT id FROM job{condition}", values).fetchall()}


def count(
    cursor: Cursor,
    states: Collection[JobState] | None = None,
    projects: Collection[str] | None = None,
    kind: JobKind | None = None,
    dataset_id: str | None = None,
) -> int:
    condition, values = rows.where(
        state=_tuple(states), kind=kind, dataset_id=dataset_id, project=_names(projects)
    )
    return rows.number(cursor, f"SELECT count(*) FROM job{condition}", values)


def update(cursor: Cursor, id: str, **changes: Any) -> Job:
    """The job after the change. News of a state that an ended job has left comes late and is ignored."""
    job = get(cursor, id)
    if job.state in ENDED and changes.get("state", job.state) != job.state:
        return job
    changed = dataclasses.replace(job, **changes)
    _, *columns = _columns(changed)
    cursor.execute(
        "UPDATE job SET kind = ?, state = ?, dataset_id = ?, created_at = ?, record = ?, project = ? "
        "WHERE id = ?",
        [*columns, id],
    )
    return changed


def delete(cursor: Cursor, id: str) -> None:
    """Removes an ended job with its trials, models, leaderboard and log lines."""
    job = get(cursor, id)
    if job.state in ACTIVE:
        raise Conflict(f"Job {id} is {job.state}.", "Cancel it, then delete it.")
    for table in TABLES_OF_A_JOB:
        cursor.execute(f"DELETE FROM {table} WHERE job_id = ?", [id])
    cursor.execute("DELETE FROM job WHERE id = ?", [id])


def _columns(job: Job) -> list[object]:
    own = [job.id, job.kind.value, job.state.value, job.spec.dataset_id, job.created_at]
    return [*own, rows.encode(job), job.project]


def _tuple(states: Collection[JobState] | None) -> tuple[str, ...] | None:
    return None if states is None else tuple(state.value for state in states)


def _names(projects: Collection[str] | None) -> tuple[str, ...] | None:
    return None if projects is None else tuple(projects)
