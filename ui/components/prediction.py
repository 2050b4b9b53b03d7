"""What a model answers for one row, and what changed the answer."""

from __future__ import annotations

from typing import Any

import streamlit as st

from flowml.storage.errors import FlowMLError
from flowml.storage.records import Model, Task
from flowml.ui import words
from flowml.ui.charts.probabilities import probabilities
from flowml.ui.components import asked_before, chart, effects, faults, predict_form

WARNINGS = 8


def show(model: Model, row: dict[str, Any]) -> None:
    target = str(model.contract.get("target", "prediction"))
    with st.container(border=True):
        try:
            answer = effects.ask(model, row)
        except FlowMLError as error:
            faults.box(error)
            return
        value = answer.value
        shown = (
            words.number(value) if model.task is Task.REGRESSION else words.short(effects.label_of(value), 40)
        )
        moved = None if answer.before is None else answer.level - answer.before
        st.metric(
            words.plain(words.short(target)),
            shown,
            None if moved is None else f"{effects.moved(moved, model)} against typical values",
            delta_color="off",
        )
        if answer.shares:
            names = list(answer.shares)
            chart.show(probabilities(names, list(answer.shares.values()), target), "probabilities")
    _warnings((*answer.warnings, *predict_form.beyond(model, row)))
    effects.view(model, answer)
    asked_before.remember(model, answer)
    asked_before.view(model)


def _warnings(messages: tuple[str, ...]) -> None:
    if not messages:
        return
    lines = "\n".join(f"- {words.plain(words.sentence(message))}" for message in messages[:WARNINGS])
    more = f"\n- and {len(messages) - WARNINGS} more" if len(messages) > WARNINGS else ""
    st.warning(lines + more, title="Unlike what the model has seen", icon=":material/warning:")
