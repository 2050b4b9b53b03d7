"""Rows whose SHAP values the library of the strongest tree model counted itself."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import Json, Model
from flowml.ui import words
from flowml.ui.charts.waterfall import REST, Step, waterfall
from flowml.ui.components import chart

NOTE = "Exact SHAP values of one member, from the library of its trees, on a row that it had not seen."


def show(model: Model) -> None:
    told = model.diagnostics.get("shap") or {}
    if "totals" not in told:
        return
    with st.expander(
        f"SHAP values of {words.plain(told['name'])}, from its own library", icon=":material/park:"
    ):
        rows = int(told["rows"])
        number = (
            st.slider(
                "One of the rows that were explained",
                1,
                rows,
                1,
                key=f"shap-{model.id}",
                help="A sample of rows was explained one by one when the job ended.",
            )
            if rows > 1
            else 1
        )
        _drawn(model, told, number - 1)


def _drawn(model: Model, told: Json, place: int) -> None:
    totals = told["totals"]
    base, score = totals["base"][place], totals["score"][place]
    steps = [
        Step(each["column"], each["value"][place], each["contribution"][place]) for each in told["values"]
    ]
    rest = score - base - sum(step.contribution for step in steps)
    if len(told["columns"]) > len(steps):
        steps.append(Step(REST, None, rest))
    label = totals["label"][place]
    of = f" of {words.short(told['labels'][label], 24)}" if label is not None and told["labels"] else ""
    what = f"the {told['scale']}{of} is {words.number(score)}"
    axis = f"{words.sentence(told['scale'])[:-1]}{of}"
    chart.show(waterfall(base, steps, axis, what, NOTE), f"shap-row-{model.id}")
