"""The board of one job while it trains: drawn again each second, from what has happened since."""

from __future__ import annotations

import time

import streamlit as st

from flowml.storage.records import ACTIVE, Job, JobState, TrialState
from flowml.ui import catalog, session, words
from flowml.ui.charts.history import history
from flowml.ui.components import budget, chart, figures, leaderboard, log
from flowml.ui.components.faults import explained
from flowml.ui.session import Key
from flowml.ui.watch import Watch

EVENTS_A_READ = 2000


def board(job: Job) -> None:
    """Polls while the job is active; what stands outside, such as its state, is drawn again on a change."""
    every = 1.0 if job.state in ACTIVE else None
    st.fragment(_tick, run_every=every)(job.id, job.state, job.metric)


def _tick(job_id: str, drawn_state: JobState, drawn_metric: str) -> None:
    with explained():
        job = session.client().job(job_id)
        watch = _catch_up(job)
    if (job.state, job.metric) != (drawn_state, drawn_metric):
        st.rerun()
    _progress(job, watch)
    _numbers(job, watch)
    _search(job, watch)
    _below(job, watch)


def _catch_up(job: Job) -> Watch:
    """The watch of this browser, with all events until now taken in."""
    client = session.client()
    watch: Watch | None = st.session_state.get(Key.WATCH)
    if watch is None or watch.job_id != job.id:
        watch = Watch.of(job.id, client.trials(job.id))
        st.session_state[Key.WATCH] = watch
    while watch.fold(client.events(job.id, watch.cursor, EVENTS_A_READ)) == EVENTS_A_READ:
        pass
    return watch


def used_s(job: Job, watch: Watch) -> float:
    if job.started_at is None:
        return 0.0
    if job.ended_at is not None:
        return job.receipt.used_s if job.receipt else job.ended_at - job.started_at
    if watch.used_s is not None:
        return watch.used_s + min(5.0, max(0.0, time.time() - watch.told_at))
    return time.time() - job.started_at


def _progress(job: Job, watch: Watch) -> None:
    if job.receipt is not None:
        budget.ended(job.receipt, "live")
    elif job.state not in ACTIVE:
        budget.cut_short(used_s(job, watch), job.spec.budget_s, "live")
    elif job.state in (JobState.QUEUED, JobState.LOST) or job.started_at is None:
        _waiting(job, watch)
    else:
        budget.running(used_s(job, watch), job.spec.budget_s, words.sentence(watch.stage).rstrip("."), "live")


def _waiting(job: Job, watch: Watch) -> None:
    """Not begun, or begun and given back: its clock stands still until a worker takes it."""
    verb = "goes on from its trials" if watch.ended else "starts"
    with explained():
        online = any(worker.state != "offline" for worker in session.client().workers())
    st.info(
        f"It {verb} when a worker that serves the queue {words.plain(job.queue or 'cpu')} is free."
        + ("" if online else " No worker is online now: the page Workers says how to start one."),
        title="Waiting for a worker",
        icon=":material/schedule:",
    )


def _numbers(job: Job, watch: Watch) -> None:
    failed = watch.count(TrialState.FAILED)
    tried = {trial.algorithm for trial in watch.ended}
    best = next(iter(watch.standings(job.direction, 1)), None)
    score = best.score if best and job.state in ACTIVE else job.best_score
    with figures.strip():
        figures.card(
            f"Best {catalog.metric(job.metric)}" if job.metric else "Best score",
            words.score(score),
            "higher is better" if job.direction == "maximize" else "lower is better",
        )
        if best:
            figures.card("Leading", catalog.algorithm(best.algorithm), f"trial {best.trial}")
        else:
            figures.card("Leading", words.MISSING, "no trial yet")
        figures.card("Trials", str(len(watch.ended)), f"{failed} failed" if failed else "none failed")
        offered = len(job.spec.algorithms or catalog.algorithms(job.task))
        figures.card("Algorithms tried", str(len(tried)), f"of {offered}")


def _search(job: Job, watch: Watch) -> None:
    started = job.started_at or job.created_at
    with st.container(border=True):
        chart.show(
            history(
                watch.ended,
                job.direction,
                catalog.metric(job.metric) or "Score",
                started,
                job.spec.budget_s,
                catalog.algorithms(),
            ),
            f"history-{job.id}",
        )


def _below(job: Job, watch: Watch) -> None:
    left, right = st.columns([6, 5], gap="medium")
    with left:
        st.subheader("Best so far", anchor=False)
        rows = watch.standings(job.direction)
        if rows:
            leaderboard.glance(rows, catalog.metric(job.metric), job.direction, "live")
        else:
            st.caption("The first trial is still at work.")
    with right:
        if job.state in ACTIVE:
            _running(watch)
        st.subheader("Log", anchor=False)
        log.tail(list(watch.log), f"live-{job.id}", 330 if job.state in ACTIVE else 400)


def _running(watch: Watch) -> None:
    st.subheader("At work now", anchor=False)
    now = time.time()
    if not watch.running:
        st.caption("No trial at this moment.")
    for trial in watch.running.values():
        st.markdown(
            f":blue[:material/progress_activity:] **{catalog.algorithm(trial.algorithm)}** "
            f":gray[trial {trial.number} · {trial.stage} · {words.duration(now - trial.started_at)}]"
        )
