"""The best model of each column that was predicted."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from flowml.storage.records import Job
from flowml.ui import catalog, words
from flowml.ui.components import clock, layout

SHOWN = 5


def short_list(ended: Iterable[Job]) -> None:
    """From jobs, newest first: a link to ask each model, and how good it is."""
    best = leading(ended)
    if not best:
        st.caption("The best model of each column that you predict stands here.")
    for job in best[:SHOWN]:
        name = words.plain(words.middle(f"{job.dataset_name or 'Deleted dataset'} · {job.spec.target}", 44))
        with st.container(gap=None):
            layout.link(st.container(), "predict", name, "trophy", model=job.champion)
            st.caption(
                f"{catalog.metric(job.metric)} {words.score(job.best_score)} · "
                f"{words.duration(job.spec.budget_s)} budget · {clock.ago(job.ended_at)}"
            )


def leading(ended: Iterable[Job]) -> list[Job]:
    """Of each dataset, column and metric the job with the best champion, the newest first."""
    best: dict[tuple[str, str, str], Job] = {}
    for job in ended:
        if not job.champion or job.best_score is None:
            continue
        key = (job.dataset_name, job.spec.target, job.metric)
        known = best.get(key)
        if known is None or _better(job, known):
            best[key] = job
    return sorted(best.values(), key=lambda job: job.ended_at or 0.0, reverse=True)


def _better(job: Job, known: Job) -> bool:
    score, other = job.best_score or 0.0, known.best_score or 0.0
    return score > other if job.direction == "maximize" else score < other
