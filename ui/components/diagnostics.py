"""How good the champion is and what it looks at, as charts."""

from __future__ import annotations

import polars as pl
import streamlit as st

from flowml.storage.records import Job, Json, Model
from flowml.ui import catalog
from flowml.ui.charts.diagnostics import quality
from flowml.ui.charts.importance import importance
from flowml.ui.components import champion, chart

COUNTS, SHARES = "Rows", "Share of the actual class"
FREQUENT, CONFUSED = "Most frequent", "Most confused"


def importance_view(job: Job) -> None:
    model = champion.of(job)
    if model is None or not model.importances:
        st.caption(f"No importance was measured: {_why(model)}")
        return
    with st.container(border=True):
        chart.show(importance(model.importances, catalog.metric(model.metric)), f"importance-{model.id}")
    st.caption(
        "Measured by shuffling one column at a time. Columns that tell the same can stand in for each other "
        "and then both look weak."
    )


def quality_view(job: Job) -> None:
    model = champion.of(job)
    if model is None or not model.diagnostics:
        st.caption(f"No diagnostics were kept: {_why(model)}")
        return
    told = model.diagnostics
    st.caption("From out-of-fold predictions: each row is judged by models that have not seen it.")
    line = st.container(horizontal=True, gap="medium")
    with line:
        shares = "confusion" in told and _cells() == SHARES
        tangled = "tangled" in told and _classes() == CONFUSED
    figures = quality(told, str(model.contract.get("target", "")), shares=shares, tangled=tangled)
    chart.pairs(figures, model.id)
    if "classes" in told:
        _by_class(told["classes"])


def _why(model: Model | None) -> str:
    if model is None:
        return "the job made no model."
    return "the budget of the job left no time. Clone it with a longer one to have them."


def _cells() -> str:
    return st.segmented_control(
        "Cells of the confusion matrix", [COUNTS, SHARES], default=COUNTS, required=True, key="cells",
        bind="query-params",
        help="How many rows, or which share of all rows that are truly of that class.",
    )  # fmt: skip


def _classes() -> str:
    return st.segmented_control(
        "Classes in it", [FREQUENT, CONFUSED], default=FREQUENT, required=True, key="classes",
        bind="query-params",
        help="The most frequent ones, or those that are confused most.",
    )  # fmt: skip


def _by_class(classes: list[Json]) -> None:
    st.subheader("By class", anchor=False)
    table = pl.DataFrame(
        {
            "Class": [str(each["label"]) for each in classes],
            "Rows": [each["support"] for each in classes],
            **{name: [each[name.lower()] for each in classes] for name in ("Precision", "Recall", "F1")},
        }
    )
    config = st.column_config
    bars = {
        name: config.ProgressColumn(name, format="%.3f", min_value=0.0, max_value=1.0, help=text)
        for name, text in (
            ("Precision", "Of the rows predicted as this class, the share that is."),
            ("Recall", "Of the rows of this class, the share that is predicted so."),
            ("F1", "The harmonic mean of both."),
        )
    }
    st.dataframe(
        table,
        hide_index=True,
        column_config={"Rows": config.NumberColumn("Rows", format="localized"), **bars},
        alt="Precision, recall and F1 of each class",
    )
