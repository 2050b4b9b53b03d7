"""What was trained when: the jobs of each day, counted."""

from __future__ import annotations

from collections.abc import Collection

from flowml.storage import rows
from flowml.storage.db import Cursor
from flowml.storage.records import Day, JobKind

DAY_S = 86_400

_SQL = """
SELECT
    CAST(floor((created_at + ?) / 86400) AS BIGINT) AS day,
    count(*),
    sum(CAST(json_extract(record, '$.trials') AS BIGINT)),
    sum(coalesce(
        CAST(json_extract(record, '$.receipt.used_s') AS DOUBLE),
        CAST(json_extract(record, '$.ended_at') AS DOUBLE)
            - CAST(json_extract(record, '$.started_at') AS DOUBLE),
        0
    )),
    count(*) FILTER (state = 'failed')
FROM job{condition} AND created_at >= ? GROUP BY day ORDER BY day
"""


def days(
    cursor: Cursor, since: float, offset_s: float = 0.0, projects: Collection[str] | None = None
) -> tuple[Day, ...]:
    """Days with training jobs that began to wait after `since`, oldest first; `offset_s` is that of the
    reader's clock from UTC.
    """
    named = None if projects is None else tuple(projects)
    condition, values = rows.where(kind=JobKind.TRAINING.value, project=named)
    found = cursor.execute(_SQL.format(condition=condition), [offset_s, *values, since]).fetchall()
    return tuple(
        Day(day * DAY_S, jobs, int(trials or 0), float(seconds or 0.0), failed)
        for day, jobs, trials, seconds, failed in found
    )
