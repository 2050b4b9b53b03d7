"""The table of trials: each algorithm with params that a training job tried."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.records import TrialRecord, TrialState

UNFINISHED = (TrialState.RUNNING, TrialState.LOST)


def upsert(cursor: Cursor, job_id: str, record: TrialRecord) -> None:
    """Writes the trial. That a trial runs never replaces how it ended: such news comes late."""
    late = " WHERE trial.state IN ('running', 'lost')" if record.state in UNFINISHED else ""
    cursor.execute(
        "INSERT INTO trial VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (job_id, number) DO UPDATE SET "
        "algorithm = excluded.algorithm, state = excluded.state, score = excluded.score, "
        f"record = excluded.record{late}",
        [job_id, record.number, record.algorithm, record.state.value, record.score, rows.encode(record)],
    )


def insert_all(cursor: Cursor, job_id: str, records: Sequence[TrialRecord]) -> None:
    """Writes trials of which none is known yet, all by one statement."""
    cursor.execute(
        "INSERT INTO trial SELECT ?, unnest(?::INTEGER[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
        "unnest(?::DOUBLE[]), unnest(?::VARCHAR[])",
        [
            job_id,
            [record.number for record in records],
            [record.algorithm for record in records],
            [record.state.value for record in records],
            [record.score for record in records],
            [rows.encode(record) for record in records],
        ],
    )


def list_(
    cursor: Cursor,
    job_id: str,
    states: Collection[TrialState] | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> tuple[TrialRecord, ...]:
    """In the order they were proposed; all of them without a limit."""
    condition, values = _where(job_id, states)
    part = "" if limit is None else f" LIMIT {int(limit)} OFFSET {int(offset)}"
    sql = f"SELECT record FROM trial{condition} ORDER BY number{part}"
    return rows.select(cursor, TrialRecord, sql, values)


def count(cursor: Cursor, job_id: str, states: Collection[TrialState] | None = None) -> int:
    condition, values = _where(job_id, states)
    return rows.number(cursor, f"SELECT count(*) FROM trial{condition}", values)


def _where(job_id: str, states: Collection[TrialState] | None) -> tuple[str, list[object]]:
    return rows.where(job_id=job_id, state=tuple(each.value for each in states) if states else None)


def running(cursor: Cursor) -> tuple[tuple[str, TrialRecord], ...]:
    """All that run now, each with the id of its job."""
    found = cursor.execute(
        "SELECT job_id, record FROM trial WHERE state = 'running' ORDER BY number"
    ).fetchall()
    return tuple((job_id, rows.decode(TrialRecord, text)) for job_id, text in found)


def lose_running(cursor: Cursor, job_id: str) -> int:
    """Marks the trials whose worker is gone; returns how many."""
    sql = "SELECT record FROM trial WHERE job_id = ? AND state = 'running' ORDER BY number"
    running = rows.select(cursor, TrialRecord, sql, [job_id])
    for record in running:
        upsert(
            cursor, job_id, dataclasses.replace(record, state=TrialState.LOST, cause="Its worker went away.")
        )
    return len(running)


def delete_of_job(cursor: Cursor, job_id: str) -> None:
    cursor.execute("DELETE FROM trial WHERE job_id = ?", [job_id])
