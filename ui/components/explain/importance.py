"""What a model looks at, over all rows."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import Model
from flowml.ui import catalog, words
from flowml.ui.charts.contributions import strengths, swarm
from flowml.ui.charts.importance import importance
from flowml.ui.components import chart


def view(model: Model) -> None:
    if model.importances:
        with st.container(border=True):
            chart.show(importance(model.importances, catalog.metric(model.metric)), f"importance-{model.id}")
        columns = len(model.contract.get("columns", ()))
        if len(model.importances) < columns:
            st.caption(
                f"Measured for {len(model.importances):,} of {words.plural(columns, 'column')}, in the order "
                "of the table: the budget of the job left no time for the others."
            )
        st.caption(
            "Measured on rows that the models had not seen, by shuffling one column at a time; the whiskers "
            "are the spread over folds. Columns that tell the same can stand in for each other and then both "
            "look weak."
        )
    else:
        st.caption("No importance was measured: the budget of the job left no time for it.")
    told = model.diagnostics.get("shap")
    if not told:
        st.caption(
            "There are no SHAP values over all rows: no member of this model is a tree model whose library "
            "gives them, or there was no time. The view *One row* explains any model."
        )
        return
    left, right = st.columns(2, border=True)
    with left:
        chart.show(strengths(told), f"strengths-{model.id}")
    with right:
        chart.show(swarm(told), f"swarm-{model.id}")
