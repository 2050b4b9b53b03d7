"""What to learn, how long, with what: then start, and watch."""

from __future__ import annotations

import streamlit as st

from flowml.storage.errors import FlowMLError, NotReady
from flowml.ui import session, words
from flowml.ui.components import check, jobs, layout, samples, train_form, train_summary
from flowml.ui.components.faults import away, box, explained
from flowml.ui.session import Query

MOST_LISTED = 10_000

with explained():
    client = session.client()
    tables = client.dataset_entries(limit=MOST_LISTED, every_version=True)

layout.heading("Train", "Name the column to predict and how long it may take; the rest is chosen for you.")
online = None  # as long as nobody can tell
try:
    online = [worker for worker in client.workers() if worker.state != "offline"]
except NotReady as gone:
    away(gone, "Make your choices: the job can be started once Redis is back.")
if not tables:
    actions = layout.empty(
        "table_view", "No dataset yet", "Training starts from a table. Bring your own, or take a sample."
    )
    samples.button(actions, primary=True)
    layout.link(actions, "data", "Upload a table", "upload")
    st.stop()

again = train_form.cloned()
if again is not None:
    session.default_to(Query.DATASET, again.spec.dataset_id)
    session.default_to(Query.TARGET, again.spec.target)
    note = st.container(horizontal=True, vertical_alignment="center", gap="small")
    note.caption("The choices of an earlier job, to change as you like:", width="content")
    layout.link(note, "results", words.plain(words.short(jobs.title(again))), "replay", job=again.id)
form, side = st.columns([5, 3], gap="large")
with form:
    asked = session.asked(Query.DATASET)
    if asked and asked not in {table.id for table in tables}:
        st.warning("The table that this address names was deleted. Choose another.", icon=":material/info:")
    dataset = train_form.choose_dataset(tables)
    column = train_form.choose_target(dataset) if dataset else None
    checked = st.container()  # filled last, so that nothing waits for it
    spec = train_form.choose_rest(dataset, column) if dataset and column else None
with side:
    pressed = train_summary.show(dataset, column, spec, online)
    if pressed and spec:
        try:
            job = client.submit(spec)
        except FlowMLError as error:
            box(error)
        else:
            layout.go("live", job=job.id)
if dataset and spec:
    with checked:
        check.panel(dataset, spec)
