"""One job while it trains, or the list of those that do."""

from __future__ import annotations

from flowml.storage.records import ACTIVE, Job
from flowml.ui import session
from flowml.ui.components import job_actions, jobs, layout, live
from flowml.ui.components.faults import explained
from flowml.ui.session import Query


def list_page() -> None:
    layout.heading("Live", "Jobs that wait or train now.")
    with explained():
        active = session.client().jobs(states=ACTIVE)
    if not active:
        actions = layout.empty(
            "monitoring",
            "Nothing is training",
            "Start a job and watch each trial arrive: its score, the time it took, and the best so far.",
        )
        layout.link(actions, "train", "Train a model", "tune")
        layout.link(actions, "results", "Look at ended jobs", "leaderboard")
    jobs.cards(active)


def job_page(job: Job) -> None:
    actions = jobs.heading(job)
    job_actions.show(actions, job)
    with explained():
        jobs.others(job, session.client().jobs(states=ACTIVE))
    if job.state not in ACTIVE:
        jobs.outcome(job)
    live.board(job)


asked = session.asked(Query.JOB)
if asked:
    with explained("Live", "live"):
        found = session.client().job(asked)
    job_page(found)
else:
    list_page()
