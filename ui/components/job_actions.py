"""What a reader may do with a job, by its state."""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

from flowml.storage.records import ACTIVE, Job, JobState
from flowml.ui import session, words
from flowml.ui.components import jobs, layout
from flowml.ui.components.confirm import confirm
from flowml.ui.components.faults import explained

STOPPABLE = frozenset({JobState.RUNNING, JobState.PAUSED})


def show(place: DeltaGenerator, job: Job) -> None:
    if job.state in ACTIVE:
        _pause(place, job)
        _stop(place, job)
        _cancel(place, job)
        return
    layout.link(place, "results", "Results", "leaderboard", job=job.id)
    model_links(place, job)


def model_links(place: DeltaGenerator, job: Job) -> None:
    """For an ended job: use its champion, do it again, delete it."""
    if job.state in ACTIVE:
        return
    if job.champion:
        layout.link(place, "explain", "Explain", "insights", model=job.champion)
        layout.link(place, "predict", "Predict", "online_prediction", model=job.champion)
    layout.link(place, "train", "Clone", "replay", job=job.id)
    _delete(place, job)


def _pause(place: DeltaGenerator, job: Job) -> None:
    if job.state is JobState.PAUSED:
        if place.button("Go on", icon=":material/play_circle:", key="resume", help="Begins trials again."):
            with explained():
                session.client().resume(job.id)
            session.leave_notice("The job goes on.")
            layout.go("live", job=job.id)
        return
    pressed = place.button(
        "Pause",
        icon=":material/pause_circle:",
        key="pause",
        disabled=job.state is not JobState.RUNNING,
        help="Lets the trials at work end and begins no other; the clock of the budget stands still.",
    )
    if pressed:
        with explained():
            session.client().pause(job.id)
        session.leave_notice("Paused: the trials at work end, no other begins.")
        layout.go("live", job=job.id)


def _stop(place: DeltaGenerator, job: Job) -> None:
    pressed = place.button(
        "Stop and keep the best",
        icon=":material/stop_circle:",
        key="stop",
        disabled=job.state not in STOPPABLE,
        help="Ends the search now and finishes with the best model so far.",
    )
    if pressed:
        with explained():
            session.client().stop(job.id)
        session.leave_notice("Stopping: the best model so far is being finished.")
        layout.go("live", job=job.id)


def _cancel(place: DeltaGenerator, job: Job) -> None:
    question = "Cancel this job? Its trials are kept in the list, but no model is made."
    if confirm(place, "Cancel", "cancel", question, "Cancel the job", "cancel-job"):
        with explained():
            session.client().cancel(job.id)
        session.leave_notice("Cancelled.")
        layout.go("live", job=job.id)


def _delete(place: DeltaGenerator, job: Job) -> None:
    question = f"Delete **{words.plain(jobs.title(job))}** with its trials and models? This cannot be undone."
    if confirm(place, "Delete", "delete", question, "Delete the job", "delete-job"):
        with explained():
            session.client().delete_job(job.id)
        session.leave_notice(f"Deleted {jobs.title(job)}.")
        layout.go("results")
