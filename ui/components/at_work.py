"""The machines that work on a job: their load, and the trials that each has in hand."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import streamlit as st

from flowml.storage.records import Worker
from flowml.ui import catalog, words
from flowml.ui.watch import Running

MACHINES = 6  # shown with their trials; the rest is counted
TRIALS = 8  # of one machine


def machines(lead: str, running: Sequence[Running], workers: Iterable[Worker], job_id: str) -> None:
    """`lead` is the worker that took the job; others help it."""
    known = {worker.name: worker for worker in workers if worker.state != "offline"}
    joined = {name for name, worker in known.items() if worker.job_id == job_id}
    names = sorted({*joined, *(trial.worker or lead for trial in running), *([lead] if lead else [])})
    st.subheader("At work now", anchor=False)
    if not names:
        st.caption("No machine at this moment.")
    for name in names[:MACHINES]:
        with st.container(border=True, gap="xsmall"):
            _machine(name, known.get(name), [t for t in running if (t.worker or lead) == name])
    if len(names) > MACHINES:
        rest = [t for t in running if (t.worker or lead) in names[MACHINES:]]
        st.caption(
            f"{words.plural(len(names) - MACHINES, 'more machine')} with {words.plural(len(rest), 'trial')}."
        )


def _machine(name: str, worker: Worker | None, trials: Sequence[Running]) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", gap="small")
    line.markdown(f":material/memory: **{words.plain(name)}**", width="stretch")
    line.markdown(f":gray[{load(worker)}]", width="content")
    now = time.time()
    for trial in trials[:TRIALS]:
        st.markdown(
            f":blue[:material/progress_activity:] {words.plain(catalog.algorithm(trial.algorithm))} "
            f":gray[trial {trial.number} · {trial.stage} · {words.duration(now - trial.started_at)}]"
        )
    if len(trials) > TRIALS:
        st.caption(f"{words.plural(len(trials) - TRIALS, 'more trial')}.")
    if not trials:
        st.caption("No trial at this moment.")


def load(worker: Worker | None) -> str:
    """Of CPU, memory and GPUs, as its last heartbeat told."""
    if worker is None:
        return "offline"
    parts = []
    if worker.cpu_percent is not None:
        parts.append(f"CPU {worker.cpu_percent:.0f} % of {words.plural(worker.capabilities.cpus, 'core')}")
    if worker.memory_used is not None:
        parts.append(f"{words.size(worker.memory_used)} of {words.size(worker.capabilities.ram_total)}")
    parts += [
        f"GPU {each.index} {each.percent:.0f} %" for each in worker.gpu_loads if each.percent is not None
    ]
    return " · ".join(parts) or "load not told yet"
