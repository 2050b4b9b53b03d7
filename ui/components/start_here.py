"""A worker on the studio's own machine, offered where none is online."""

from __future__ import annotations

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.records import Scope
from flowml.ui import session, words
from flowml.ui.components.faults import explained

LONGEST_S = 30.0  # from the start of a worker until it is heard of
LOOK_S = 0.3


def offer(place: DeltaGenerator, primary: bool = False) -> None:
    """The button, for those who may; it waits until the worker is online and draws the page again."""
    if not session.person().may(Scope.ADMIN):
        return
    pressed = place.button(
        "Start a worker here",
        type="primary" if primary else "secondary",
        icon=":material/play_arrow:",
        key="start-worker-here",
        help="It runs on the studio's machine, and lives as long as the studio.",
    )
    if pressed:
        with explained(), place, st.spinner("Starting a worker"):
            name = session.client().start_worker()
            _wait_for(name)
        session.leave_notice(f"Worker {words.plain(name)} is online.")
        st.rerun()


def _wait_for(name: str) -> None:
    """One that takes longer, on a busy machine, is seen when it comes."""
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        if any(worker.name == name and worker.state != "offline" for worker in session.client().workers()):
            return
        time.sleep(LOOK_S)
