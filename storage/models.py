"""The table of fitted models, whose files are artifacts, and the leaderboard of a job."""

from __future__ import annotations

import json
from collections.abc import Iterable

from flowml.storage import jobs, ranking, rows, trials
from flowml.storage.db import Cursor
from flowml.storage.errors import NotFound
from flowml.storage.records import LeaderboardRow, Model


def insert(cursor: Cursor, model: Model) -> None:
    """Writes the model; one that is known already stays as it is."""
    cursor.execute(
        "INSERT INTO model VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        [model.id, model.job_id, model.created_at, model.champion, model.score, rows.encode(model)],
    )


def get(cursor: Cursor, id: str) -> Model:
    found = rows.select(cursor, Model, "SELECT record FROM model WHERE id = ?", [id])
    if not found:
        raise NotFound(f"There is no model {id}.", "It may have been deleted with its job.")
    return found[0]


def list_(cursor: Cursor, job_id: str | None = None) -> tuple[Model, ...]:
    """Newest first; of one job, its champion first."""
    condition, values = rows.where(job_id=job_id)
    order = "created_at DESC, id" if job_id is None else "champion DESC, created_at DESC, id"
    return rows.select(cursor, Model, f"SELECT record FROM model{condition} ORDER BY {order}", values)


def count(cursor: Cursor) -> int:
    return rows.number(cursor, "SELECT count(*) FROM model", [])


def delete_of_job(cursor: Cursor, job_id: str) -> None:
    cursor.execute("DELETE FROM model WHERE job_id = ?", [job_id])


def put_leaderboard(cursor: Cursor, job_id: str, board: Iterable[LeaderboardRow]) -> None:
    """Keeps the rows that a job measured at its end; they win over what follows from its trials."""
    cursor.execute(
        "INSERT INTO job_leaderboard VALUES (?, ?) "
        "ON CONFLICT (job_id) DO UPDATE SET records = excluded.records",
        [job_id, json.dumps([row.to_dict() for row in board], ensure_ascii=False)],
    )


def leaderboard(cursor: Cursor, job_id: str) -> tuple[LeaderboardRow, ...]:
    """The rows that the job stored at its end, or those that follow from its trials and models so far."""
    job = jobs.get(cursor, job_id)
    stored = cursor.execute("SELECT records FROM job_leaderboard WHERE job_id = ?", [job_id]).fetchall()
    if stored:
        return tuple(LeaderboardRow.from_dict(row) for row in json.loads(stored[0][0]))
    board = ranking.rows_of(job, trials.list_(cursor, job_id), list_(cursor, job_id))
    return ranking.rank(board, job.direction)
