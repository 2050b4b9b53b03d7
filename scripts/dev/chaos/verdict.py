"""What was lost or doubled, from the database itself, once the studio has stopped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

TRIALS = ("trials_without_end", "trials_doubled", "trials_missing")
WRONG = ("jobs_lost", "jobs_doubled", *TRIALS, "processes_left")


def judge(database: Path, asked: Sequence[str]) -> dict[str, Any]:
    """`asked` are the ids of the jobs: each should have finished, with one model, and each trial once."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute("SELECT id, state, record FROM job").fetchall()
        trials = connection.execute("SELECT job_id, number, state, record->>'worker' FROM trial").fetchall()
        models = Counter(id for (id,) in connection.execute("SELECT job_id FROM model").fetchall())
    states = {id: state for id, state, _ in rows}
    causes = {id: json.loads(record).get("cause") for id, _, record in rows}
    numbers = Counter((job, number) for job, number, *_ in trials)
    finished = {id for id, state in states.items() if state == "finished"}
    unended = [(job, number, state) for job, number, state, _ in trials if state in ("running", "lost")]
    return {
        "jobs": len(asked),
        "states": dict(Counter(states.get(id, "unknown") for id in asked)),
        "jobs_lost": [f"{id}: {states.get(id)} {causes.get(id)}" for id in asked if id not in finished],
        "jobs_doubled": [id for id in states if id not in asked] + [id for id, n in models.items() if n != 1],
        "trials": dict(Counter(state for _, _, state, _ in trials)),
        "trials_by_worker": dict(Counter(worker for *_, worker in trials)),
        "trials_without_end": [row for row in unended if row[0] in finished],
        "trials_doubled": [key for key, count in numbers.items() if count > 1],
        "trials_missing": [(id, gap) for id in asked if id in finished and (gap := gaps(numbers, id))],
    }


def gaps(numbers: Counter[tuple[str, int]], job: str) -> list[int]:
    """Numbers of trials below the highest that no row bears."""
    seen = {number for id, number in numbers if id == job}
    return sorted(set(range(max(seen, default=-1) + 1)) - seen)
