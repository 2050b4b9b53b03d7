"""How a job is named and shown in lists and headings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.errors import NotReady
from flowml.storage.records import ACTIVE, ENDED, DatasetTotals, Job, JobState
from flowml.ui import catalog, session, words
from flowml.ui.components import budget, clock, faults, figures, layout, states
from flowml.ui.components.faults import explained

OTHERS = 4  # links to other active jobs
WAITING = frozenset({JobState.QUEUED, JobState.LOST})
TAKEN = "A worker has taken it and makes ready."


def title(job: Job) -> str:
    return named(job.spec.name, job.dataset_name, job.spec.target)


def named(name: str, dataset_name: str, target: str) -> str:
    """By the name that its user gave, else by what it predicts."""
    return name or f"{dataset_name or 'Deleted dataset'} · {target}"


def page_of(job: Job) -> str:
    """Where a reader wants to see it."""
    return "live" if job.state in ACTIVE else "results"


def heading(job: Job) -> DeltaGenerator:
    """The job's name, state and what was asked; gives the container for actions."""
    asked = [
        f"{words.plain(job.spec.target)} in {words.plain(job.dataset_name)}" if job.spec.name else "",
        catalog.metric(job.metric) if job.metric else "metric chosen at the start",
        f"{words.duration(job.spec.budget_s)} budget",
        f"started {clock.ago(job.started_at)}" if job.started_at else f"queued {clock.ago(job.created_at)}",
    ]
    if job.worker:
        asked.append(f"on {words.plain(job.worker)}")
    actions = layout.heading(
        words.plain(words.middle(title(job), 90)), " · ".join(part for part in asked if part)
    )
    with actions:
        states.job_badge(job.state)
    return actions


def board(active: Sequence[Job], models: int, tables: DatasetTotals) -> None:
    """The numbers of the studio and a card for each active job, kept current."""
    st.fragment(_board, run_every=2.0)({job.id for job in active}, models, tables)


def _board(drawn: set[str], models: int, tables: DatasetTotals) -> None:
    active = _still_active(drawn)
    try:
        workers = session.client().workers()
    except NotReady as gone:
        faults.away(gone, "Jobs and datasets stand here as they were stored; nothing new starts until then.")
        workers = ()
    figures.studio(active, models, tables, workers)
    if active:
        st.subheader("Now", anchor=False)
    for job in active:
        active_card(job)


def cards(active: Sequence[Job]) -> None:
    """A card for each active job, kept current."""
    st.fragment(_cards, run_every=2.0)({job.id for job in active})


def _cards(drawn: set[str]) -> None:
    for job in _still_active(drawn):
        active_card(job)


def _still_active(drawn: set[str]) -> Sequence[Job]:
    """The active jobs; where they are others than the page was drawn with, it is drawn again."""
    with explained():
        active = session.client().jobs(states=ACTIVE)
    if {job.id for job in active} != drawn:
        st.rerun()
    return active


def active_card(job: Job) -> None:
    """An active job: its name as a link to the Live page, its best score, its place in the budget."""
    with st.container(border=True, gap="small"):
        head = st.container(horizontal=True, vertical_alignment="center")
        layout.link(
            head.container(width="stretch"), "live", words.plain(words.middle(title(job))), "", job=job.id
        )
        with head:
            if job.best_score is not None:
                st.markdown(
                    f":gray[{catalog.metric(job.metric)}] **{words.score(job.best_score)}**", width="content"
                )
            states.job_badge(job.state)
        if job.state in WAITING:
            st.caption(f"Waiting for a free worker on the queue {words.plain(job.queue or 'cpu')}.")
            return
        if job.started_at is None:
            st.caption(TAKEN)
            return
        trials = words.plural(job.trials, "trial")
        paused = job.state is JobState.PAUSED
        budget.running(
            _used_s(job), job.spec.budget_s, f"Paused after {trials}" if paused else trials, job.id
        )


def _used_s(job: Job) -> float:
    """By the clock of its worker, which pauses with it; by ours until that is heard."""
    told = None
    with suppress(NotReady):
        told = session.client().used_s(job.id)
    return time.time() - (job.started_at or job.created_at) if told is None else told


def others(job: Job, active: Sequence[Job]) -> None:
    """Links to what else trains now."""
    rest = [each for each in active if each.id != job.id]
    if not rest:
        return
    line = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    line.caption("Also active:", width="content")
    for each in rest[:OTHERS]:
        layout.link(line, "live", words.plain(words.middle(title(each), 40)), job=each.id)
    if len(rest) > OTHERS:
        layout.link(line, "live", f"all {len(active)}", "arrow_forward")


def rows(jobs: Sequence[Job]) -> None:
    """One line a job: a link, its state, its best score, when."""
    with st.container(border=True, gap="small"):
        for job in jobs:
            _row(job)


def _row(job: Job) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    name = words.plain(words.middle(title(job), 60))
    layout.link(line.container(width="stretch"), page_of(job), name, job=job.id)
    with line.container(width=95):
        states.job_badge(job.state)
    line.container(width=76).caption(clock.ago(job.ended_at or job.created_at))
    best = f":gray[{catalog.metric(job.metric)}] **{words.score(job.best_score)}**"
    line.container(width=130).markdown(best if job.best_score is not None else f":gray[{words.MISSING}]")
    layout.link(line.container(width="content"), "train", "Clone", "replay", job=job.id)


def outcome(job: Job) -> None:
    """Why a job made no model, or what its findings warn of."""
    if job.state is JobState.FAILED:
        st.error(
            words.plain(words.sentence(job.cause or "It failed without a word")),
            title="This job failed",
            icon=":material/error:",
        )
    elif job.cause and job.state is not JobState.FINISHED:
        st.info(words.plain(words.sentence(job.cause)), icon=":material/info:")


def ended_count() -> int:
    return session.client().count_jobs(states=ENDED)
