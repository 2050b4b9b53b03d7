"""What a job found: leaderboard, importance, diagnostics, the champion and the receipt of the budget."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from flowml.storage.records import ACTIVE, ENDED, Job
from flowml.ui import session
from flowml.ui.components import (
    champion,
    compare,
    diagnostics,
    job_actions,
    jobs,
    layout,
    receipt,
    results,
    search,
    thresholds,
)
from flowml.ui.components.faults import explained
from flowml.ui.session import Query

VIEWS: dict[str, Callable[[Job], None]] = {
    "Leaderboard": results.leaderboard_view,
    "Compare": compare.view,
    "Diagnostics": diagnostics.quality_view,
    "Threshold": thresholds.view,
    "Search": search.view,
    "Importance": diagnostics.importance_view,
    "Champion": champion.view,
    "Receipt": receipt.view,
}
PAGE = 25


def list_page() -> None:
    layout.heading("Results", "Jobs that have ended, newest first.")
    with explained():
        number = st.session_state.get("page", 1)
        ended = session.client().jobs(states=ENDED, limit=PAGE, offset=PAGE * (number - 1))
        total = jobs.ended_count()
    if not ended and number == 1:
        actions = layout.empty(
            "leaderboard",
            "No results yet",
            "Each ended job leaves its leaderboard here, what its model looks at, and the model itself.",
        )
        layout.link(actions, "train", "Train a model", "tune")
        layout.link(actions, "live", "See what is training", "monitoring")
        return
    jobs.rows(ended)
    if total > PAGE:
        st.pagination(-(-total // PAGE), key="page", bind="query-params")


def job_page(job: Job) -> None:
    actions = jobs.heading(job)
    if job.state in ACTIVE:
        layout.link(actions, "live", "Watch it live", "monitoring", job=job.id)
    job_actions.model_links(actions, job)
    jobs.outcome(job)
    results.figures_of(job)
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Leaderboard",
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    VIEWS[view](job)


asked = session.asked(Query.JOB)
if asked:
    with explained("Results", "results"):
        found = session.client().job(asked)
    with explained():
        job_page(found)
else:
    list_page()
