"""One machine that trains, as a card."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.records import Capabilities, Moment, Scope, TrialRecord, Worker
from flowml.ui import catalog, session, words
from flowml.ui.components import clock, layout, sparks, states
from flowml.ui.components.faults import explained

SILENT_S = 10.0  # a heartbeat older than this is said
MOST_TRIALS = 4
TOLD = {
    "pause": "Told to pause: it ends the job that it has, and takes no other.",
    "drain": "Told to drain: it gives its job back, to go on elsewhere, and takes no other.",
}


def card(worker: Worker, history: Sequence[Moment] = (), running: Sequence[TrialRecord] = ()) -> None:
    with st.container(border=True, gap="small", height="stretch"):
        head = st.container(horizontal=True, vertical_alignment="center")
        head.subheader(words.plain(worker.name), anchor=False, width="stretch")
        with head:
            states.worker_badge(worker.state)
        st.caption(_place(worker))
        if worker.state != "offline":
            sparks.show(worker, history)
        _facts(worker)
        with st.container(horizontal=True, gap="xsmall"):
            for queue in worker.queues:
                st.badge(words.plain(queue), color="gray", icon=":material/input:")
        if worker.told:
            st.caption(TOLD.get(worker.told, ""))
        _trials(running)
        _now(worker)


def _place(worker: Worker) -> str:
    machine = worker.capabilities
    host = words.plain(machine.hostname or "unknown host")
    address = f" ({machine.lan_address})" if machine.lan_address else ""
    return f"{host}{address} · {words.plain(machine.os)} · Python {machine.python} · FlowML {worker.version}"


def _trials(running: Sequence[TrialRecord]) -> None:
    """What it evaluates now."""
    if running:
        now = time.time()
        lines = [
            f":gray[Trial {trial.number}] {catalog.algorithm(trial.algorithm)}, "
            f"for {words.duration(max(0.0, now - trial.started_at))}{_device(trial.device)}"
            for trial in running[:MOST_TRIALS]
        ]
        if len(running) > MOST_TRIALS:
            lines.append(f":gray[and {len(running) - MOST_TRIALS} more]")
        st.markdown("  \n".join(lines))


def _device(device: str) -> str:
    return "" if device == "cpu" else f" on {words.plain(device.upper())}"


def _facts(worker: Worker) -> None:
    machine = worker.capabilities
    limits = "" if machine.limits in ("", "none") else f", limited by {machine.limits}"
    cores = f"{machine.cpus} of {machine.cores_logical} cores usable{limits}"
    lines = [f":gray[CPU] {words.plain(machine.cpu_model)}: {cores}"]
    for gpu in machine.gpus:
        lines.append(
            f":gray[GPU] {words.plain(gpu.name)}, {words.size(gpu.vram_total)}, {_gpu_libraries(machine)}"
        )
    if not machine.gpus:
        lines.append(f":gray[GPU] none. {words.plain(words.sentence(machine.gpu_reason))}")
    if worker.memory_limit is not None:
        total = words.size(machine.ram_total)
        lines.append(f":gray[Memory] its trials may use {words.size(worker.memory_limit)} of {total}")
    st.markdown("  \n".join(lines))


def _gpu_libraries(machine: Capabilities) -> str:
    works = [name for name, reason in machine.gpu_libraries.items() if not reason]
    return f"used by {words.listing(works)}" if works else "no library can use it"


def _now(worker: Worker) -> None:
    silent = time.time() - worker.heartbeat
    heard = f" · heard from {clock.ago(worker.heartbeat)}" if silent > SILENT_S else ""
    done = f"{words.plural(worker.jobs_done, 'job')} done · started {clock.ago(worker.started_at)}"
    st.markdown(f":gray[{done}{heard}]")
    row = st.container(horizontal=True, vertical_alignment="center")
    if worker.job_id and worker.state != "offline":
        layout.link(row, "live", "Its job now", "monitoring", job=worker.job_id)
    if session.person().may(Scope.ADMIN):
        _orders(worker, row)


def _orders(worker: Worker, row: DeltaGenerator) -> None:
    """What an administrator may tell it."""
    client = session.client()
    asked: dict[str, tuple[str, Callable[[str], object], str]] = {}
    if worker.told:
        asked = {"Resume": ("play_arrow", client.resume_worker, "It takes jobs again.")}
    elif worker.state != "offline":
        asked = {
            "Pause": ("pause", client.pause_worker, "It ends its job and takes no other."),
            "Drain": ("logout", client.drain_worker, "It gives its job back now, to go on elsewhere."),
        }
    if worker.state == "offline":
        asked["Forget"] = ("close", client.forget_worker, "It comes back when it joins.")
    for label, (icon, order, help) in asked.items():
        key = f"{label.lower()}-{worker.name}"
        if row.button(label, type="tertiary", icon=f":material/{icon}:", key=key, help=help):
            with explained():
                order(worker.name)
            st.rerun()
