"""What runs, what stands, and the first step for those who have nothing yet."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import ACTIVE, ENDED
from flowml.ui import session
from flowml.ui.components import datasets, jobs, layout, samples, welcome
from flowml.ui.components.faults import explained

with explained():
    client = session.client()
    tables = client.dataset_totals()
    active = client.jobs(states=ACTIVE)
    ended = client.jobs(states=ENDED, limit=8)
    models = client.stats()["models"]

if not (tables.datasets or active or ended):
    welcome.show()
    st.stop()

actions = layout.heading("Dashboard")
samples.button(actions)
layout.link(actions, "data", "Upload a table", "upload")
jobs.board(active, models, tables)
left, right = st.columns([7, 3], gap="large")
with left:
    st.subheader("Recent jobs", anchor=False)
    if ended:
        jobs.rows(ended)
        layout.link(st.container(), "results", "All results", "arrow_forward")
    else:
        st.caption("Jobs that have ended stand here. Choose a dataset and train on it to see one.")
with right:
    st.subheader("Datasets", anchor=False)
    with explained():
        datasets.short_list(client.dataset_entries(limit=6), tables.names)
