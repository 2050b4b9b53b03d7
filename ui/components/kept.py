"""What a job leaves behind, read once: of an ended job it does not change any more.

Who may see the job is asked by the page before; what is kept here is shared by all who look at it.
"""

from __future__ import annotations

import streamlit as st

from flowml.runner import parameters
from flowml.runner.client import Client
from flowml.storage.records import ENDED, Job, LeaderboardRow, TrialRecord
from flowml.ui import session

MOST = 4  # jobs at a time: 5,000 rows of one are some 10 MB


STEP = 20  # new trials of a running job, after which its params are looked at again


def leaderboard(job: Job) -> tuple[LeaderboardRow, ...]:
    return _leaderboard(job, session.client()) if job.state in ENDED else session.client().leaderboard(job.id)


def trials(job: Job) -> tuple[TrialRecord, ...]:
    return _trials(job, session.client()) if job.state in ENDED else session.client().trials(job.id)


def importance(job: Job) -> dict[str, dict[str, float]]:
    """Of each algorithm that was tried often enough, its params by what they decide."""
    return _importance(job)


def _stamp(job: Job) -> tuple[str, float | None, str, int]:
    return job.id, job.ended_at, job.champion, job.trials // STEP


_once = st.cache_resource(max_entries=MOST, show_spinner=False, hash_funcs={Job: _stamp})


@_once
def _leaderboard(job: Job, _client: Client) -> tuple[LeaderboardRow, ...]:
    return _client.leaderboard(job.id)


@_once
def _trials(job: Job, _client: Client) -> tuple[TrialRecord, ...]:
    return _client.trials(job.id)


@_once
def _importance(job: Job) -> dict[str, dict[str, float]]:
    return parameters.importance(trials(job), job.direction)
