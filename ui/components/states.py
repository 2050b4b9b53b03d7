"""How states look: one word, one icon, one colour each, the same on every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import streamlit as st

from flowml.storage.records import JobState, TrialState

Colour: TypeAlias = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "primary"]


@dataclass(frozen=True)
class Look:
    word: str
    icon: str
    colour: Colour
    help: str | None = None


JOB_LOOKS: dict[JobState, Look] = {
    JobState.QUEUED: Look("Queued", "schedule", "gray"),
    JobState.RUNNING: Look("Running", "progress_activity", "blue"),
    JobState.PAUSED: Look("Paused", "pause_circle", "orange"),
    JobState.FINISHING: Look("Finishing", "flag", "blue"),
    JobState.FINISHED: Look("Finished", "check_circle", "green"),
    JobState.STOPPED: Look("Stopped", "stop_circle", "green", "Ended early; the best model was kept."),
    JobState.CANCELLED: Look("Cancelled", "cancel", "gray"),
    JobState.FAILED: Look("Failed", "error", "red"),
    JobState.LOST: Look("Lost", "sync_problem", "orange", "Its worker fell silent; it will run again."),
}

TRIAL_LOOKS: dict[TrialState, Look] = {
    TrialState.RUNNING: Look("Running", "progress_activity", "blue"),
    TrialState.COMPLETE: Look("Complete", "check_circle", "green"),
    TrialState.PRUNED: Look("Pruned", "content_cut", "gray"),
    TrialState.FAILED: Look("Failed", "error", "red"),
    TrialState.LOST: Look("Lost", "sync_problem", "orange"),
}

WORKER_LOOKS: dict[str, Look] = {
    "idle": Look("Idle", "check_circle", "green"),
    "busy": Look("Busy", "progress_activity", "blue"),
    "paused": Look("Paused", "pause_circle", "orange"),
    "offline": Look("Offline", "cloud_off", "gray"),
}

UNKNOWN = Look("Unknown", "help", "gray")


def badge(look: Look) -> None:
    st.badge(look.word, icon=f":material/{look.icon}:", color=look.colour, help=look.help)


def job_badge(state: JobState) -> None:
    badge(JOB_LOOKS[state])


def worker_badge(state: str) -> None:
    badge(WORKER_LOOKS.get(state, UNKNOWN))
