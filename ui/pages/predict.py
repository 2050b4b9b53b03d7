"""Ask a model: one row by a form, a file, or from a program."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import Model
from flowml.ui import session
from flowml.ui.components import (
    foreign,
    layout,
    model_choice,
    predict_form,
    prediction,
    request_example,
    score_file,
)
from flowml.ui.components.faults import explained
from flowml.ui.session import Query

VIEWS = ("One row", "A file", "From a program")
TRAINED, ELSEWHERE = "Trained here", "Made elsewhere"


def model_page(model: Model) -> None:
    view = st.segmented_control(
        "Ask with",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    if view == "A file":
        score_file.show(model)
    elif view == "One row":
        form, answer = st.columns([3, 2], gap="large")
        with form:
            first = "The most important columns first, with" if model.importances else "With"
            st.caption(f"{first} typical values. Change any: the answer follows.")
            row = predict_form.show(model)
        with answer:
            prediction.show(model, row)
    else:
        request_example.show(model, {field.name: field.typical for field in predict_form.fields(model)})


with explained():
    models = model_choice.known()

layout.heading("Predict", "Ask a model what it expects for a new row.")
with explained():
    both = foreign.offered()
if both:
    whose = st.segmented_control(
        "Models", (TRAINED, ELSEWHERE), default=TRAINED, required=True, key="whose", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    if whose == ELSEWHERE:
        with explained():
            foreign.show()
        st.stop()
asked = session.asked(Query.MODEL)
if not models and not asked:
    actions = layout.empty(
        "online_prediction",
        "No model yet",
        "Each finished job leaves its best model here, ready to answer by form, by file or over HTTP.",
    )
    layout.link(actions, "train", "Train a model", "tune")
    st.stop()
chosen = model_choice.choose(models)
if chosen:
    with explained():
        model_page(session.client().model(chosen))
