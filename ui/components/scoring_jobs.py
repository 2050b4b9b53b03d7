"""Files that are predicted as jobs: how far each is, and its answers to download."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from flowml.storage.records import ENDED, Job, JobState, Model
from flowml.ui import session, words
from flowml.ui.components import clock, drift, states
from flowml.ui.components.faults import explained

SHOWN = 5
EVERY_S = 1.0
WARNINGS = 8


def view(model: Model) -> None:
    """The newest of this model, kept current while one is under way."""
    with explained():
        found = session.client().predictions(model.id, SHOWN)
    if not found:
        return
    st.subheader("Files predicted as jobs", anchor=False)
    under_way = any(job.state not in ENDED for job in found)
    st.fragment(_cards, run_every=EVERY_S if under_way else None)(model.id, under_way)


def _cards(model_id: str, under_way: bool) -> None:
    with explained():
        found = session.client().predictions(model_id, SHOWN)
    if under_way and all(job.state in ENDED for job in found):
        st.rerun()
    for job in found:
        _card(job)


def _card(job: Job) -> None:
    scoring = job.scoring
    if scoring is None:
        return
    with st.container(border=True, gap="small"):
        head = st.container(horizontal=True, vertical_alignment="center")
        head.markdown(f"**{words.plain(words.short(scoring.source.name))}**", width="stretch")
        with head:
            states.job_badge(job.state)
        if job.state not in ENDED:
            _progress(job)
            return
        if job.cause:
            st.caption(words.plain(words.sentence(job.cause)))
        if job.state is not JobState.FINISHED:
            return
        rows = words.plural(scoring.rows or scoring.done, "row")
        st.caption(f"{rows}, {clock.ago(job.ended_at)}")
        _told(job)
        st.download_button(
            "Download answers",
            lambda: session.client().answers(job.id).path.read_bytes(),
            f"{Path(scoring.source.name).stem}-predictions.{scoring.format}",
            icon=":material/download:",
            key=f"answers-{job.id}",
            on_click="ignore",
        )


def _progress(job: Job) -> None:
    scoring = job.scoring
    assert scoring is not None
    done = words.plural(scoring.done, "row")
    if job.state is JobState.QUEUED:
        st.progress(0.0, "Waits for a worker.")
    elif scoring.rows:
        st.progress(min(1.0, scoring.done / scoring.rows), f"{done} of {words.count(scoring.rows)}")
    else:
        st.progress(0.0, f"{done} so far")
    if st.button("Cancel", icon=":material/cancel:", key=f"cancel-{job.id}"):
        with explained():
            session.client().cancel(job.id)
        st.rerun()


def _told(job: Job) -> None:
    scoring = job.scoring
    assert scoring is not None
    if scoring.drift is not None:
        drift.told(scoring.drift)
    warnings(scoring.warnings, scoring.more_warnings)


def warnings(found: tuple[str, ...], more: int) -> None:
    """What the contract had to say, each kind once, with its first row."""
    if not found:
        return
    count = len(found) + more
    with st.expander(words.plural(count, "kind of warning", "kinds of warnings"), icon=":material/warning:"):
        lines = "\n".join(f"- {words.plain(words.sentence(text))}" for text in found[:WARNINGS])
        rest = f"\n- and {count - WARNINGS} more, in the column `warnings`" if count > WARNINGS else ""
        st.markdown(lines + rest)
