"""The table of fitted models, whose files are artifacts, and the leaderboard of a job."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from flowml.storage import jobs, ranking, rows, trials
from flowml.storage.db import Cursor
from flowml.storage.errors import NotFound
from flowml.storage.records import ENDED, JobKind, LeaderboardRow, Model, ModelEntry, ModelSummary


def insert(cursor: Cursor, model: Model) -> None:
    """Writes the model; one that is known already stays as it is."""
    cursor.execute(
        "INSERT INTO model VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        [model.id, model.job_id, model.created_at, model.champion, model.score, rows.encode(model)],
    )


def get(cursor: Cursor, id: str) -> Model:
    found = rows.select(cursor, Model, "SELECT record FROM model WHERE id = ?", [id])
    if not found:
        raise unknown(id)
    return found[0]


def project(cursor: Cursor, id: str) -> str:
    """The project that a model lies in, which is that of its job."""
    sql = "SELECT job.project FROM model JOIN job ON job.id = model.job_id WHERE model.id = ?"
    found = cursor.execute(sql, [id]).fetchall()
    if not found:
        raise unknown(id)
    return str(found[0][0])


def list_(
    cursor: Cursor,
    job_id: str | None = None,
    projects: Collection[str] | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> tuple[Model, ...]:
    """Newest first; of one job, its champion first. All of them without a limit."""
    condition, values = _where(job_id, projects)
    order = "created_at DESC, id" if job_id is None else "champion DESC, created_at DESC, id"
    part = "" if limit is None else f" LIMIT {int(limit)} OFFSET {int(offset)}"
    return rows.select(cursor, Model, f"SELECT record FROM model{condition} ORDER BY {order}{part}", values)


_ENTRIES = """
SELECT told[1], id, told[2], told[3], told[4], told[5], CAST(told[6] AS DOUBLE), CAST(told[7] AS DOUBLE)
FROM (
    SELECT id, created_at, json_extract_string(record, [
        '$.champion', '$.spec.name', '$.dataset_name', '$.spec.target', '$.metric', '$.best_score',
        '$.ended_at'
    ]) AS told
    FROM job{condition}
)
WHERE told[1] <> '' ORDER BY created_at DESC, id DESC LIMIT ?
"""


def entries(
    cursor: Cursor, projects: Collection[str] | None = None, limit: int = 1000
) -> tuple[ModelEntry, ...]:
    """The champions of ended training jobs for lists of choices, the newest job first."""
    condition, values = rows.where(
        kind=JobKind.TRAINING.value,
        state=tuple(state.value for state in ENDED),
        project=None if projects is None else tuple(projects),
    )
    found = cursor.execute(_ENTRIES.format(condition=condition), [*values, limit]).fetchall()
    return tuple(ModelEntry(*line) for line in found)


_SUMMARIES = """
WITH page AS (
    SELECT id, job_id, created_at, score, record FROM model{condition}
    ORDER BY created_at DESC, id LIMIT ? OFFSET ?
)
SELECT id, job_id, told[1], coalesce(told[2], ''), told[3], score, CAST(told[4] AS BIGINT), created_at FROM (
    SELECT id, job_id, created_at, score, json_extract_string(
        record, ['$.name', '$.contract.target', '$.metric', '$.onnx.size']
    ) AS told FROM page
) ORDER BY created_at DESC, id
"""


def summaries(
    cursor: Cursor, projects: Collection[str] | None = None, limit: int = 100, offset: int = 0
) -> tuple[ModelSummary, ...]:
    """For lists: newest first, reading no more than the lines it gives."""
    condition, values = _where(None, projects)
    found = cursor.execute(_SUMMARIES.format(condition=condition), [*values, limit, offset]).fetchall()
    return tuple(ModelSummary(*line) for line in found)


def count(cursor: Cursor, projects: Collection[str] | None = None) -> int:
    condition, values = _where(None, projects)
    return rows.number(cursor, f"SELECT count(*) FROM model{condition}", values)


def _where(job_id: str | None, projects: Collection[str] | None) -> tuple[str, list[object]]:
    condition, values = rows.where(job_id=job_id)
    if projects is None:
        return condition, values
    of_jobs = "job_id IN (SELECT id FROM job WHERE project IN (SELECT unnest(?::VARCHAR[])))"
    return f"{condition} {'AND' if condition else 'WHERE'} {of_jobs}", [*values, sorted(projects)]


def unknown(id: str) -> NotFound:
    return NotFound(
        f"There is no model {id}.",
        "It may have been deleted with its job. One of the registry is named as NAME@ALIAS or NAME:VERSION.",
    )


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
