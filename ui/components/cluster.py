"""How busy the machines are, in a few lines."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from flowml.storage.errors import NotReady
from flowml.storage.records import Worker
from flowml.ui import session, words
from flowml.ui.components import layout, start_here, states

SHOWN = 5
EVERY_S = 5.0


def show() -> None:
    """Kept current."""
    st.subheader("Cluster", anchor=False)
    st.fragment(_load, run_every=EVERY_S)()


def _load() -> None:
    try:
        client = session.client()
        workers, waiting = client.workers(), client.queues()
    except NotReady:
        st.caption("Nothing is known of the machines while Redis does not answer.")
        return
    online = [worker for worker in workers if worker.state != "offline"]
    if not online:
        st.caption("No worker is online: jobs wait until one joins.")
        start_here.offer(st.container())
    for worker in busiest(online)[:SHOWN]:
        _machine(worker)
    queued = sum(waiting.values())
    rest = len(online) - SHOWN
    notes = [words.plural(rest, "more machine") if rest > 0 else "", f"{queued} waiting" if queued else ""]
    if any(notes):
        st.caption(" · ".join(note for note in notes if note))
    layout.link(st.container(), "workers", "All workers", "arrow_forward")


def busiest(workers: Sequence[Worker]) -> list[Worker]:
    return sorted(workers, key=lambda worker: (-(worker.cpu_percent or 0.0), worker.name))


def _machine(worker: Worker) -> None:
    with st.container(border=True, gap="xsmall"):
        line = st.container(horizontal=True, vertical_alignment="center")
        line.markdown(f"**{words.plain(words.short(worker.name, 24))}**", width="stretch")
        with line:
            states.worker_badge(worker.state)
        if worker.cpu_percent is not None:
            share = min(1.0, worker.cpu_percent / 100)
            cores = words.plural(worker.capabilities.cpus, "core")
            st.progress(share, f"CPU {worker.cpu_percent:.0f} % of {cores}")
        if worker.memory_used is not None and worker.capabilities.ram_total:
            share = min(1.0, worker.memory_used / worker.capabilities.ram_total)
            total = words.size(worker.capabilities.ram_total)
            st.progress(share, f"Memory {words.size(worker.memory_used)} of {total}")
        for gpu in worker.gpu_loads:
            if gpu.percent is not None:
                st.progress(min(1.0, gpu.percent / 100), f"GPU {gpu.index} {gpu.percent:.0f} %")
