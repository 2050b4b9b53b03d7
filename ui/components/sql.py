"""SQL on one dataset: a look at what a query gives, and a version made of it."""

from __future__ import annotations

import streamlit as st

from flowml.storage.errors import FlowMLError
from flowml.storage.mending import quoted
from flowml.storage.records import Dataset, Json
from flowml.ui import session, words
from flowml.ui.components import layout, preview
from flowml.ui.components.faults import box
from flowml.ui.session import Key

ROWS = 100


def view(dataset: Dataset) -> None:
    st.caption(
        "One SELECT on the table `dataset`, in DuckDB's SQL. It runs apart from the studio and sees this "
        "table only."
    )
    sql = st.text_area(
        "Query",
        _start(dataset),
        height=140,
        key=f"sql-{dataset.id}",
        label_visibility="collapsed",
        max_chars=20_000,
    )
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    run = row.button("Run", type="primary", icon=":material/play_arrow:", key="run-sql")
    name = row.text_input(
        "Name",
        key="sql-name",
        placeholder=f"{dataset.name}, next version",
        label_visibility="collapsed",
        width=280,
    )
    save = row.button("Save as dataset", icon=":material/save:", key="save-sql")
    if save:
        _save(dataset, sql, name)
    if run:
        st.session_state[Key.QUERIED] = (dataset.id, sql)
    asked = st.session_state.get(Key.QUERIED)
    if asked and asked[0] == dataset.id:
        _show(dataset, asked[1])


def _start(dataset: Dataset) -> str:
    """A query to begin with: all rows in which the first column has a value."""
    if dataset.query:
        return "SELECT * FROM dataset"
    first = dataset.schema.columns[0].name
    return f"SELECT *\nFROM dataset\nWHERE {quoted(first)} IS NOT NULL"


def _show(dataset: Dataset, sql: str) -> None:
    try:
        with st.spinner("Asking…"):
            found: Json = session.client().query(dataset.id, sql, ROWS)
    except FlowMLError as error:
        box(error)
        return
    preview.table(found, "What the query gives")
    total = found["total"]
    shown = min(total, ROWS)
    st.caption(
        f"{words.plural(total, 'row')}."
        if shown == total
        else f"The first {shown} of {words.count(total)} rows."
    )


def _save(dataset: Dataset, sql: str, name: str) -> None:
    try:
        with st.spinner("Making the dataset…"):
            made = session.client().derive(dataset.id, sql, name.strip() or None)
    except FlowMLError as error:
        box(error)
        return
    session.leave_notice(f"Made {made.name}, version {made.version}: {words.plural(made.rows, 'row')}.")
    layout.go("data", dataset=made.id)
