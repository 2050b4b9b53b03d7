"""What runs, what stands, and the first step for those who have nothing yet."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import ACTIVE, ENDED
from flowml.ui import session
from flowml.ui.components import (
    activity,
    champions,
    cluster,
    datasets,
    jobs,
    layout,
    quick_start,
    samples,
    welcome,
)
from flowml.ui.components.faults import explained

RECENT = 8  # jobs that are listed
LISTED, OFFERED = 6, 50  # datasets that are listed, and that a quick start offers
KNOWN = 60  # jobs among which champions are looked for

with explained():
    client = session.client()
    tables = client.dataset_totals()
    newest = client.dataset_entries(limit=OFFERED)
    active = client.jobs(states=ACTIVE)
    ended = client.jobs(states=ENDED, limit=KNOWN)
    models = client.counts()["models"]

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
        jobs.rows(ended[:RECENT])
        layout.link(st.container(), "results", "All results", "arrow_forward")
    else:
        st.caption("Jobs that have ended stand here. Choose a dataset and train on it to see one.")
    st.subheader("Champions", anchor=False)
    champions.short_list(ended)
with right:
    quick_start.show(newest, (*active, *ended))
    cluster.show()
    st.subheader("Datasets", anchor=False)
    datasets.short_list(newest[:LISTED], tables.names)
activity.view()
