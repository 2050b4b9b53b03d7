"""A worker on the studio's own machine, offered where none is online."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.records import Scope, Worker
from flowml.ui import session, words
from flowml.ui.components.faults import explained

LONGEST_S = 30.0  # from the start of a worker until it is heard of
LOOK_S = 0.3
PAUSED = "All workers online are paused; the page Workers lets one go on."
NOT_YET = (
    "is not online yet. The studio goes on trying; why it does not come is in its log, in logs/ of the data."
)


def all_paused(workers: Sequence[Worker]) -> bool:
    """Whether some are online, and all of them were told to take no job."""
    online = [worker for worker in workers if worker.state != "offline"]
    return bool(online) and all(worker.told for worker in online)


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
            came = _comes(name)
        if came:
            session.leave_notice(f"Worker {words.plain(name)} is online.")
            st.rerun()
        st.toast(f"Worker {words.plain(name)} {NOT_YET}", icon=":material/schedule:", duration="long")


def _comes(name: str) -> bool:
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        if any(worker.name == name and worker.state != "offline" for worker in session.client().workers()):
            return True
        time.sleep(LOOK_S)
    return False
