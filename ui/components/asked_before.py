"""The rows that this browser has asked a model about, newest first."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import streamlit as st

from flowml.storage.records import Model, Task
from flowml.ui import words
from flowml.ui.components.effects import Answer
from flowml.ui.session import Key

KEPT = 50  # of all models
CHANGES = "Unlike the typical row"


@dataclass(frozen=True)
class Asked:
    model_id: str
    value: str
    level: float
    changed: tuple[tuple[str, str], ...]  # column and value, where that is not typical


def remember(model: Model, answer: Answer) -> None:
    """Once for each row, however often the page is drawn."""
    changed = tuple((each.column, _text(each.now)) for each in sorted(answer.effects, key=lambda e: e.column))
    new = Asked(model.id, _text(answer.value), answer.level, changed)
    known: list[Asked] = st.session_state.get(Key.ASKED, [])
    others = [each for each in known if (each.model_id, each.changed) != (new.model_id, new.changed)]
    st.session_state[Key.ASKED] = [new, *others][:KEPT]


def view(model: Model) -> None:
    """Nothing before there are two to compare."""
    rows = [each for each in st.session_state.get(Key.ASKED, []) if each.model_id == model.id]
    if len(rows) < 2:
        return
    with st.expander(f"Asked before ({len(rows)})", icon=":material/history:"):
        regression = model.task is Task.REGRESSION
        table = {
            "Answer": [each.level if regression else each.value for each in rows],
            **({} if regression else {"Probability": [100 * each.level for each in rows]}),
            CHANGES: [_changes(each) for each in rows],
        }
        st.dataframe(
            pl.DataFrame(table),
            hide_index=True,
            column_config={
                "Answer": st.column_config.NumberColumn("Answer", format="%.6g")
                if regression
                else st.column_config.TextColumn("Answer"),
                "Probability": st.column_config.NumberColumn("Probability", format="%.1f %%", width="small"),
                "Unlike the typical row": st.column_config.TextColumn(
                    "Unlike the typical row", width="large"
                ),
            },
            alt="Rows that were asked before, with their answers",
        )
        if st.button(
            "Forget them",
            icon=":material/delete_sweep:",
            key=f"forget-{model.id}",
            help="Clears this list in your browser; nothing else keeps it.",
        ):
            kept = [each for each in st.session_state[Key.ASKED] if each.model_id != model.id]
            st.session_state[Key.ASKED] = kept
            st.rerun()


def _changes(asked: Asked) -> str:
    return ", ".join(f"{column} {value or 'missing'}" for column, value in asked.changed) or "nothing"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return words.number(value)
    return words.short(value, 60)
