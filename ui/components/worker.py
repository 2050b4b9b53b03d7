"""One machine that trains, as a card."""

from __future__ import annotations

import time

import streamlit as st

from flowml.storage.records import Capabilities, Worker
from flowml.ui import session, words
from flowml.ui.components import clock, layout, states
from flowml.ui.components.faults import explained

SILENT_S = 10.0  # a heartbeat older than this is said


def card(worker: Worker) -> None:
    machine = worker.capabilities
    with st.container(border=True, gap="small", height="stretch"):
        head = st.container(horizontal=True, vertical_alignment="center")
        head.subheader(words.plain(worker.name), anchor=False, width="stretch")
        with head:
            states.worker_badge(worker.state)
        st.caption(_place(worker))
        if worker.state != "offline":
            _load(worker)
        _facts(machine)
        with st.container(horizontal=True, gap="xsmall"):
            for queue in worker.queues:
                st.badge(words.plain(queue), color="gray", icon=":material/input:")
        _now(worker)


def _place(worker: Worker) -> str:
    machine = worker.capabilities
    host = words.plain(machine.hostname or "unknown host")
    address = f" ({machine.lan_address})" if machine.lan_address else ""
    return f"{host}{address} · {words.plain(machine.os)} · Python {machine.python} · FlowML {worker.version}"


def _load(worker: Worker) -> None:
    machine = worker.capabilities
    cpu, memory = st.columns(2)
    if worker.cpu_percent is not None:
        share = min(1.0, worker.cpu_percent / 100)
        cpu.progress(share, f"CPU {worker.cpu_percent:.0f} % of {words.plural(machine.cpus, 'core')}")
    if worker.memory_used is not None and machine.ram_total:
        share = min(1.0, worker.memory_used / machine.ram_total)
        memory.progress(share, f"Memory {words.size(worker.memory_used)} of {words.size(machine.ram_total)}")


def _facts(machine: Capabilities) -> None:
    limits = "" if machine.limits in ("", "none") else f", limited by {machine.limits}"
    cores = f"{machine.cpus} of {machine.cores_logical} cores usable{limits}"
    lines = [f":gray[CPU] {words.plain(machine.cpu_model)}: {cores}"]
    for gpu in machine.gpus:
        lines.append(
            f":gray[GPU] {words.plain(gpu.name)}, {words.size(gpu.vram_total)}, {_gpu_libraries(machine)}"
        )
    if not machine.gpus:
        lines.append(f":gray[GPU] none. {words.plain(words.sentence(machine.gpu_reason))}")
    st.markdown("  \n".join(lines))


def _gpu_libraries(machine: Capabilities) -> str:
    works = [name for name, reason in machine.gpu_libraries.items() if not reason]
    return f"used by {words.listing(works)}" if works else "no library can use it"


def _now(worker: Worker) -> None:
    silent = time.time() - worker.heartbeat
    heard = f" · heard from {clock.ago(worker.heartbeat)}" if silent > SILENT_S else ""
    row = st.container(horizontal=True, vertical_alignment="center")
    done = f"{words.plural(worker.jobs_done, 'job')} done · started {clock.ago(worker.started_at)}"
    row.markdown(f":gray[{done}{heard}]", width="content")
    if worker.job_id and worker.state != "offline":
        layout.link(row, "live", "Its job now", "monitoring", job=worker.job_id)
    if worker.state == "offline" and row.button(
        "Forget",
        type="tertiary",
        icon=":material/close:",
        key=f"forget-{worker.name}",
        help="It comes back when it joins.",
    ):
        with explained():
            session.client().forget_worker(worker.name)
        st.rerun()
