"""What the Live page shows of ended trials, worked out once for all browsers that look at the job."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import streamlit as st

from flowml.storage.records import Job, LeaderboardRow, TrialState
from flowml.ui import catalog
from flowml.ui.charts.algorithms import by_algorithm
from flowml.ui.charts.history import history
from flowml.ui.components import chart, leaderboard
from flowml.ui.watch import Watch

KEPT = 32  # jobs that are watched; the charts of one are 100 kB at most


@dataclass(frozen=True)
class Tally:
    ended: int
    failed: int
    tried: frozenset[str]  # algorithms
    best: tuple[LeaderboardRow, ...]  # the best few
    glance: pa.Table  # the same, as `leaderboard.at_a_glance` makes it
    history: bytes  # charts, as `chart.encoded` gives them
    algorithms: bytes | None


def of(job: Job, watch: Watch) -> Tally:
    ended = watch.ended
    stamp = (len(ended), ended[-1].number if ended else 0, watch.count(TrialState.LOST))
    return _tally(job.id, job.metric, job.started_at, stamp, job, watch)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _tally(
    job_id: str, metric: str, started_at: float | None, stamp: tuple[int, ...], _job: Job, _watch: Watch
) -> Tally:
    del job_id, stamp
    ended, labels = _watch.ended, catalog.algorithms()
    named = catalog.metric(metric)
    rows = _watch.standings(_job.direction)
    bars = by_algorithm(ended, _job.direction, named, labels)
    began = started_at or _job.created_at
    drawn = history(ended, _job.direction, named or "Score", began, _job.spec.budget_s, labels)
    return Tally(
        ended=len(ended),
        failed=_watch.count(TrialState.FAILED),
        tried=frozenset(trial.algorithm for trial in ended),
        best=tuple(rows),
        glance=leaderboard.at_a_glance(rows, _job.direction),
        history=chart.encoded(drawn),
        algorithms=chart.encoded(bars) if bars else None,
    )
