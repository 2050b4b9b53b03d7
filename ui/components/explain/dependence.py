"""How the answer follows one column that the reader chooses."""

from __future__ import annotations

import streamlit as st

from flowml.storage.errors import FlowMLError
from flowml.storage.records import Json, Model, Task
from flowml.ui import session, words
from flowml.ui.charts.dependence import dependence
from flowml.ui.components import chart, faults, linked, predict_form
from flowml.ui.session import Query

MOST = 60  # curves that are kept at a time


def view(model: Model) -> None:
    names = [field.name for field in predict_form.fields(model) if field.kind != "text"]
    if not names:
        st.caption("The model looks at free text only, which has no order to follow.")
        return
    name = linked.select(
        "Column", names, Query.COLUMN, words.short, default=names[0], help="The most important columns first."
    )
    if name is None:
        st.caption("Choose a column to see how the answer follows it.")
        return
    try:
        told = _told(session.studio(), model.id, name)
    except FlowMLError as error:
        faults.box(error)
        return
    with st.container(border=True):
        chart.show(dependence(told, answer_of(model)), f"dependence-{model.id}-{name}")
    st.caption(_how(told))


@st.cache_data(max_entries=MOST, ttl=3600, show_spinner="Asking the model")
def _told(_studio: object, model_id: str, name: str) -> Json:
    found: Json = _studio.explaining.dependence(model_id, name)  # type: ignore[attr-defined]
    return found


def answer_of(model: Model) -> str:
    """What is predicted, as the name of an axis."""
    target = words.short(model.contract.get("target", "prediction"), 30)
    if model.task is Task.REGRESSION:
        return f"Predicted {target}"
    classes = model.contract.get("classes", ())
    if model.task is Task.BINARY and len(classes) == 2:
        return f"Probability of {target} = {words.short(classes[1], 24)}"
    return f"Probability by {target}"


def _how(told: Json) -> str:
    rows = (
        "Asked about rows that the models had not seen."
        if told["out_of_fold"]
        else "On rows that the model learned from; for its most important columns on rows it had not seen."
    )
    gaps = ""
    if told.get("missing"):
        means = words.listing([words.number(mean) for mean in told["missing"]], 4)
        gaps = f" Where the value is missing, the mean answer is {means}."
    return f"{rows}{gaps} It shows what the model does, not what would happen in the world."
