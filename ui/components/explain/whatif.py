"""What-if: the columns of a row as sliders and lists. What they say goes through the predict contract."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st

from flowml.storage.records import Json, Model
from flowml.ui import session, words
from flowml.ui.components import predict_form
from flowml.ui.components.predict_form import Field
from flowml.ui.session import Query

CHANGE = "Change it: the answer below follows."
FIRST = 8  # columns shown at once, the most important ones
MOST = 40
EMPTY = "missing"
STEPS = 100
MOST_WHOLE = 2**53 - 1  # that a slider of whole numbers holds


def show(model: Model, start: Json) -> Json:
    """The row as the reader changed it; columns without a control keep their values."""
    st.subheader("What if", anchor=False)
    asked = predict_form.fields(model)
    mark = f"{model.id}-{session.asked(Query.ROW)}-{st.session_state.get('whatif-turn', 0)}"
    row = dict(start)
    for field in asked[:FIRST]:
        row[field.name] = _control(field, start.get(field.name), mark)
    rest = asked[FIRST:]
    if rest:
        with st.expander(words.plural(len(rest), "more column"), icon=":material/unfold_more:"):
            for field in _chosen(rest, model.id):
                row[field.name] = _control(field, start.get(field.name), mark)
    if any(row[name] != start.get(name) for name in row):
        st.button("Back to the row", icon=":material/undo:", on_click=_turn, help="Undoes all changes.")
    return row


def _chosen(rest: list[Field], model_id: str) -> list[Field]:
    """All, or of very many those that the reader names beside the most important."""
    shown, hidden = rest[: MOST - FIRST], {field.name: field for field in rest[MOST - FIRST :]}
    if not hidden:
        return shown
    named = st.multiselect(
        "Others to change",
        list(hidden),
        format_func=words.middle,
        key=f"whatif-others-{model_id}",
        placeholder=f"any of {len(hidden):,} columns",
        help="They keep the values of the row unless you choose and change them.",
    )
    return [*(hidden[name] for name in named), *shown]


def _turn() -> None:
    st.session_state["whatif-turn"] = st.session_state.get("whatif-turn", 0) + 1


def _control(field: Field, value: Any, mark: str) -> Any:
    key = f"whatif-{mark}-{field.name}"
    draw = _CONTROLS.get(field.kind)
    return _text(field, value, key) if draw is None else draw(field, value, key)


def _number(field: Field, value: Any, key: str) -> Any:
    if field.role == "boolean":
        return _flag(field, value, key)
    if isinstance(value, str):  # such as a time of the day: the contract reads it
        return _text(field, value, key)
    low, high = field.minimum, field.maximum
    if low is None or high is None or low >= high or not isinstance(value, int | float):
        number = float(value) if isinstance(value, int | float) else None
        return st.number_input(
            words.plain(field.name),
            value=number,
            key=key,
            placeholder=EMPTY,
            help=CHANGE,
        )
    if field.whole and max(abs(low), abs(high), abs(value)) <= MOST_WHOLE:
        near = int(min(max(value, low), high))
        whole = st.slider(
            words.plain(field.name),
            int(low),
            int(high),
            near,
            key=key,
            help=CHANGE,
        )
        return value if whole == near else whole
    step = float(f"{(high - low) / STEPS:.0e}")
    near_step = round(float(min(max(value, low), high)) / step) * step
    at = min(max(near_step, float(low)), float(high)) + 0.0  # never a minus before a zero
    moved = st.slider(
        words.plain(field.name),
        float(low),
        float(high),
        at,
        step,
        format=_format(step),
        key=key,
        help=CHANGE,
    )
    return value if moved == at else moved


def _format(step: float) -> str:
    if step < 1e-4:
        return "%.2e"
    text = f"{step:.10f}".rstrip("0").partition(".")[2]
    return f"%.{len(text)}f" if step < 1 else "%.0f"


def _flag(field: Field, value: Any, key: str) -> bool | None:
    names: dict[bool | None, str] = {True: "true", False: "false", None: EMPTY}
    now = None if value is None else bool(value)
    chosen = st.segmented_control(
        words.plain(field.name),
        list(names),
        format_func=names.__getitem__,
        default=now,
        required=True,
        key=key,
        help=CHANGE,
    )
    return value if chosen == now else chosen


def _choice(field: Field, value: Any, key: str) -> str | None:
    seen = list(
        dict.fromkeys([*(str(each) for each in field.categories), *([] if value is None else [str(value)])])
    )
    chosen = st.selectbox(
        words.plain(field.name), seen, index=None if value is None else seen.index(str(value)), key=key,
        placeholder=EMPTY, accept_new_options=True,
        help=CHANGE,
    )  # fmt: skip
    return value if value is not None and chosen == str(value) else chosen


def _moment(field: Field, value: Any, key: str) -> str | None:
    now = predict_form.minute(_read(value))
    first, last = predict_form.span(field, now)
    chosen = st.datetime_input(
        words.plain(field.name),
        value=now,
        min_value=first,
        max_value=last,
        key=key,
        help=CHANGE,
    )
    if chosen == now:
        return None if value is None else str(value)
    return None if chosen is None else chosen.isoformat() + "Z" * field.zoned


def _read(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        return None


def _text(field: Field, value: Any, key: str) -> str | None:
    written = "" if value is None else str(value)
    typed = st.text_area(
        words.plain(field.name),
        written,
        key=key,
        placeholder=EMPTY,
        height="content",
        help=CHANGE,
    )
    return value if typed == written else typed or None


_CONTROLS: dict[str, Callable[[Field, Any, str], Any]] = {
    "number": _number,
    "string": _choice,
    "datetime": _moment,
}
