"""Why a model answers as it does: over all rows, by column, for one row, and in parts of the table."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from flowml.storage.records import Model
from flowml.ui import session
from flowml.ui.components import layout, model_choice
from flowml.ui.components.explain import ask, dependence, importance, parts, row
from flowml.ui.components.faults import explained
from flowml.ui.session import Query

VIEWS: dict[str, Callable[[Model], None]] = {
    "Importance": importance.view,
    "Dependence": dependence.view,
    "One row": row.view,
    "Slices": parts.slices_view,
    "Fairness": parts.fairness_view,
    "Ask": ask.view,
}


def model_page(model: Model) -> None:
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Importance",
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    VIEWS[view](model)


with explained():
    models = model_choice.known()

actions = layout.heading("Explain", "What a model looks at, and why it answers as it does.")
asked = session.asked(Query.MODEL)
if not models and not asked:
    actions = layout.empty(
        "insights",
        "No model yet",
        "Of each model you see here what it looks at, how its answer follows a column, why one row is "
        "answered as it is, and where it errs.",
    )
    layout.link(actions, "train", "Train a model", "tune")
    st.stop()
chosen = model_choice.choose(models)
if chosen:
    if chosen in models:
        layout.link(actions, "results", "Results", "leaderboard", job=models[chosen].job_id)
    layout.link(actions, "predict", "Predict", "online_prediction", model=chosen)
    with explained():
        model_page(session.client().model(chosen))
