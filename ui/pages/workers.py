"""The machines that train: what each can do, what it does now, and how to add one."""

from __future__ import annotations

import streamlit as st

from flowml.ui import session
from flowml.ui.components import figures, join, layout, start_here, worker
from flowml.ui.components.faults import explained

layout.heading("Workers", "The machines that train. Each tells what it can do and takes the jobs that fit.")


@st.fragment(run_every=2.0)
def machines() -> None:
    with explained():
        client = session.client()
        known = client.workers()
        waiting = client.queues()
        running = client.running_trials()
    online = [each for each in known if each.state != "offline"]
    figures.cluster(online, waiting)
    if not known:
        nothing = layout.empty(
            "memory",
            "No worker is known",
            "Jobs wait in the queue until a worker joins. Start one on the studio's machine, or with the "
            "command below on this or another one.",
        )
        start_here.offer(nothing, primary=True)
    elif not online:
        st.warning(
            "Jobs wait until one joins again.", title="No worker is online", icon=":material/cloud_off:"
        )
        start_here.offer(st.container(), primary=True)
    if known:
        with st.grid(columns=2, min_column_width=340):
            for each in known:
                history = client.worker_history(each.name) if each.state != "offline" else ()
                worker.card(each, history, running.get(each.name, ()))


machines()
join.show()
