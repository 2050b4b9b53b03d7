"""The board of one job while it trains: drawn again each second, from what has happened since."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from flowml.storage.errors import NotFound, NotReady
from flowml.storage.records import (
    ACTIVE,
    Job,
    JobState,
    Level,
    Worker,
)
from flowml.ui import catalog, session, words
from flowml.ui.components import (
    at_work,
    budget,
    chart,
    faults,
    figures,
    jobs,
    leaderboard,
    log,
    start_here,
    tally,
)
from flowml.ui.components.faults import explained
from flowml.ui.components.tally import Tally
from flowml.ui.session import Key
from flowml.ui.watch import Watch

EVENTS_A_READ = 2000
LEVELS = (Level.INFO, Level.WARNING, Level.ERROR)


def board(job: Job) -> None:
    """Polls while the job is active; what stands outside, such as its state, is drawn again on a change."""
    every = 1.0 if job.state in ACTIVE else None
    st.fragment(_tick, run_every=every)(job.id, job.state, job.metric)


def _tick(job_id: str, drawn_state: JobState, drawn_metric: str) -> None:
    with explained():
        try:
            job = session.client().job(job_id)
        except NotFound:  # deleted in another tab: the whole page says so
            st.rerun()
        watch = _watch(job)
        workers = _catch_up(job, watch)
    if (job.state, job.metric) != (drawn_state, drawn_metric):
        st.rerun()
    _progress(job, watch, workers)
    told = tally.of(job, watch)
    _numbers(job, told)
    _search(job, told)
    _below(job, watch, told, workers)


def _watch(job: Job) -> Watch:
    """What this browser has seen of the job until now."""
    watch: Watch | None = st.session_state.get(Key.WATCH)
    if watch is None or watch.job_id != job.id:
        watch = Watch.of(job.id, session.client().trials(job.id))
        st.session_state[Key.WATCH] = watch
    return watch


def _catch_up(job: Job, watch: Watch) -> Sequence[Worker]:
    """Takes in all events until now; gives the workers. Without Redis the board stays as it was."""
    client = session.client()
    try:
        while watch.fold(client.events(job.id, watch.cursor, EVENTS_A_READ)) == EVENTS_A_READ:
            pass
        return client.workers() if job.state in ACTIVE else ()
    except NotReady as away:
        faults.away(away, "What stands here is what was told before. The page goes on by itself.")
        return ()


def used_s(job: Job, watch: Watch) -> float:
    if job.started_at is None:
        return 0.0
    if job.ended_at is not None:
        return job.receipt.used_s if job.receipt else job.ended_at - job.started_at
    told = watch.clock(time.time())
    return time.time() - job.started_at if told is None else told


def _progress(job: Job, watch: Watch, workers: Sequence[Worker]) -> None:
    if job.receipt is not None:
        budget.ended(job.receipt, "live")
    elif job.state not in ACTIVE:
        budget.cut_short(used_s(job, watch), job.spec.budget_s, "live")
    elif job.state in jobs.WAITING:
        _waiting(job, watch, workers)
    elif job.started_at is None:
        st.info(jobs.TAKEN, icon=":material/hourglass_top:")
    else:
        used = used_s(job, watch)
        stage = "Paused" if job.state is JobState.PAUSED else words.sentence(watch.stage).rstrip(".")
        budget.running(used, job.spec.budget_s, stage, "live", watch.phases(used))


def _waiting(job: Job, watch: Watch, workers: Sequence[Worker]) -> None:
    """Not begun, or begun and given back: its clock stands still until a worker takes it."""
    verb = "goes on from its trials" if watch.ended else "starts"
    online = any(worker.state != "offline" for worker in workers)
    why = "" if online else " No worker is online now; the page Workers says how another machine joins."
    why = f" {start_here.PAUSED}" if start_here.all_paused(workers) else why
    st.info(
        f"It {verb} when a worker that serves the queue {words.plain(job.queue or 'cpu')} is free.{why}",
        title="Waiting for a worker",
        icon=":material/schedule:",
    )
    if not online:
        start_here.offer(st.container())


def _numbers(job: Job, told: Tally) -> None:
    best = next(iter(told.best), None)
    score = best.score if best and job.state in ACTIVE else job.best_score
    better = "higher is better" if job.direction == "maximize" else "lower is better"
    with figures.strip():
        figures.card(_score_name(job), words.score(score), better if job.metric else "no metric yet")
        if best:
            which = f"trial {best.trial}: {words.score(best.score)}"  # a champion of several may be better
            figures.card("Best trial", catalog.algorithm(best.algorithm), which)
        else:
            figures.card("Best trial", words.MISSING, "no trial yet")
        figures.card("Trials", f"{told.ended:,}", f"{told.failed:,} failed" if told.failed else "none failed")
        tried = told.tried
        offered = len(tried.union(job.spec.algorithms or catalog.algorithms(job.task)))  # the baseline too
        figures.card("Algorithms tried", str(len(tried)), f"of {offered}")


def _score_name(job: Job) -> str:
    """The champion of an ended job need not be its best trial: that may take too long to export or answer."""
    metric = catalog.metric(job.metric) if job.metric else ""
    return f"{metric} of the champion" if job.champion and metric else f"Best {metric or 'score'}"


def _search(job: Job, told: Tally) -> None:
    with st.container(border=True):
        chart.show(told.history, f"history-{job.id}")


def _below(job: Job, watch: Watch, told: Tally, workers: Sequence[Worker]) -> None:
    left, right = st.columns([6, 5], gap="medium")
    with left:
        st.subheader("Best so far", anchor=False)
        if told.best:
            metric = catalog.metric(job.metric)
            leaderboard.glance(told.glance, told.best, metric, job.direction, "live")
        else:
            st.caption("No trial is complete yet.")
        if told.algorithms:
            with st.container(border=True):
                chart.show(told.algorithms, f"algorithms-{job.id}")
    with right:
        if job.state in ACTIVE - {JobState.QUEUED, JobState.LOST}:
            at_work.machines(job.worker, list(watch.running.values()), workers, job.id)
        _log(job, watch)


def _log(job: Job, watch: Watch) -> None:
    line = st.container(horizontal=True, vertical_alignment="center")
    line.subheader("Log", anchor=False, width="stretch")
    with line:
        least = st.segmented_control(
            "Least severe",
            [level.value for level in LEVELS],
            default=Level.INFO.value,
            required=True,
            format_func=str.capitalize,
            key="least",
            label_visibility="collapsed",
        )
    shown = [each for each in watch.log if each.level in LEVELS[LEVELS.index(Level(least)) :]]
    log.tail(shown, f"live-{job.id}", 330 if job.state in ACTIVE else 400)
