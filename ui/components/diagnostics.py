"""How good the champion is and what it looks at, as charts."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import Job
from flowml.ui import catalog
from flowml.ui.charts.diagnostics import quality
from flowml.ui.charts.importance import importance
from flowml.ui.components import champion, chart


def importance_view(job: Job) -> None:
    model = champion.of(job)
    if model is None or not model.importances:
        st.caption("No importance was measured: the job made no model, or its budget left no time for it.")
        return
    with st.container(border=True):
        chart.show(importance(model.importances, catalog.metric(model.metric)), f"importance-{model.id}")
    st.caption(
        "Measured by shuffling one column at a time. Columns that tell the same can stand in for each other "
        "and then both look weak."
    )


def quality_view(job: Job) -> None:
    model = champion.of(job)
    figures = quality(model) if model else ()
    if model is None or not figures:
        st.caption("No diagnostics were kept: the job made no model, or its budget left no time for them.")
        return
    st.caption("All from out-of-fold predictions: each row is judged by a model that has not seen it.")
    for i in range(0, len(figures), 2):
        for place, figure in zip(st.columns(2, border=True), figures[i : i + 2], strict=False):
            with place:
                chart.show(figure, f"diagnostics-{model.id}-{figure.title}")
