"""What a model answers for one row."""

from __future__ import annotations

from typing import Any

import streamlit as st

from flowml.storage.errors import FlowMLError
from flowml.storage.records import Model, Task
from flowml.ui import session, words
from flowml.ui.charts.probabilities import probabilities
from flowml.ui.components import chart, faults

WARNINGS = 8


def show(model: Model, row: dict[str, Any]) -> None:
    target = str(model.contract.get("target", "prediction"))
    with st.container(border=True):
        try:
            answer = session.studio().serving.predict(model.id, [row])
        except FlowMLError as error:
            faults.box(error)
            return
        told = answer.to_dicts()[0]
        value = told["prediction"]
        shown = words.number(value) if model.task is Task.REGRESSION else words.short(_label(value), 40)
        st.metric(words.plain(words.short(target)), shown)
        shares = told.get("probability")
        if shares:
            chart.show(probabilities(list(shares), list(shares.values()), target), "probabilities")
    _warnings([f"{warning.column}: {warning.message}" for warning in answer.warnings])


def _label(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _warnings(messages: list[str]) -> None:
    if not messages:
        return
    lines = "\n".join(f"- {words.plain(words.sentence(message))}" for message in messages[:WARNINGS])
    more = f"\n- and {len(messages) - WARNINGS} more" if len(messages) > WARNINGS else ""
    st.warning(lines + more, title="Unlike what the model has seen", icon=":material/warning:")
