"""Why one row is answered as it is, what would change it, and rows like it."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from flowml.storage.errors import FlowMLError
from flowml.storage.records import Json, Model, Task
from flowml.ui import session, words
from flowml.ui.charts.waterfall import Step, waterfall
from flowml.ui.components import chart, faults, linked, predict_form, prediction
from flowml.ui.components.explain import trees, whatif
from flowml.ui.session import Query

SIMILAR = 8
NOTE = (
    "Shapley values of the answer itself, sampled over orders of the columns, against made-up rows of "
    "ordinary values."
)


def view(model: Model) -> None:
    start = _start(model)
    if start is None:
        return
    fields, answer = st.columns([2, 3], gap="large")
    with fields:
        row = whatif.show(model, start)
    with answer:
        prediction.show(model, row)
        _changed(model, start, row)
        label = _label(model)
        _waterfall(model, row, label)
    _similar(model, row)
    trees.show(model)


def _start(model: Model) -> Json | None:
    """The row to begin with: of the table, or one of typical values."""
    typical = {field.name: field.typical for field in predict_form.fields(model)}
    try:
        rows = session.studio().explaining.rows(model.id)
    except FlowMLError as error:
        st.caption(f"It begins with typical values. {words.plain(str(error))}")
        return typical
    number = _number(rows)
    if number is None:
        st.caption("It begins with typical values: the middle of each number, the most frequent category.")
        return typical
    try:
        found = session.studio().explaining.row(model.id, number)
    except FlowMLError as error:
        faults.box(error)
        return None
    target = str(model.contract.get("target", ""))
    if found.get(target) is not None:
        st.caption(f"In the table its {words.plain(target)} is {words.plain(found[target])}.")
    return {name: found.get(name) for name in typical}


def _number(rows: int) -> int | None:
    asked = session.asked(Query.ROW)
    known = int(asked) if asked.isdecimal() and 1 <= int(asked) <= rows else None
    key = "row-number"
    if st.session_state.get(key) != known:
        st.session_state[key] = known
    return st.number_input(
        f"Row of the table, 1 to {rows:,}",
        min_value=1,
        max_value=rows,
        step=1,
        value=None,
        key=key,
        placeholder="typical values",
        on_change=lambda: session.remember(Query.ROW, str(st.session_state[key] or "")),
        width=260,
        help="A row of the table that the model learned from, in the order of the file.",
    )


def _changed(model: Model, start: Json, row: Json) -> None:
    changed = [name for name in row if row[name] != start.get(name)]
    if not changed:
        if session.asked(Query.ROW):  # else the line for typical values says so
            st.caption("Nothing is changed yet: move a slider, and the answer follows.")
        return
    before, now = _answer(model, start), _answer(model, row)
    if before is None or now is None:
        return
    named = words.listing([words.plain(name) for name in changed], 4)
    st.caption(f"With {named} changed: {before} became **{now}**.")


def _answer(model: Model, row: Json) -> str | None:
    try:
        told = session.studio().serving.predict(model.id, [row]).to_dicts()[0]
    except FlowMLError:
        return None
    value = told["prediction"]
    if model.task is Task.REGRESSION:
        return words.number(value)
    share = max(told["probability"].values())
    return f"{words.plain(words.short(value, 30))} ({words.percent(share)})"


def _label(model: Model) -> str | None:
    """The class to explain; of a regression there is none, of many the reader chooses."""
    classes = [str(each) for each in model.contract.get("classes", ())]
    if model.task is Task.BINARY:
        return classes[1]
    if model.task is Task.REGRESSION:
        return None
    return linked.select(
        "Class to explain",
        classes,
        Query.LABEL,
        words.short,
        placeholder="the likeliest",
        help="The one whose probability is explained.",
    )


def _waterfall(model: Model, row: Json, label: str | None) -> None:
    try:
        told = session.studio().explaining.contributions(model.id, row, label)
    except FlowMLError as error:
        faults.box(error)
        return
    steps = [Step(each.column, each.value, each.contribution, each.error) for each in told.columns]
    target = words.short(model.contract.get("target", "the answer"), 30)
    regression = model.task is Task.REGRESSION
    axis = f"Predicted {target}" if regression else f"Probability of {words.short(told.label, 24)}"
    what = (
        f"{target} is {words.number(told.prediction)}"
        if regression
        else f"{told.label} is given {words.percent(told.prediction)}"
    )
    with st.container(border=True):
        chart.show(waterfall(told.base, steps, axis, what, NOTE), f"waterfall-{model.id}")


def _similar(model: Model, row: Json) -> None:
    st.subheader("Rows like it", anchor=False)
    try:
        found = session.studio().explaining.similar(model.id, row, SIMILAR)
    except FlowMLError as error:
        st.caption(words.plain(str(error)))
        return
    st.dataframe(
        _table(model, found),
        hide_index=True,
        column_config={
            "Likeness": st.column_config.ProgressColumn(
                "Likeness", format="%.0f %%", min_value=0.0, max_value=100.0,
                help="By the columns that matter to the model, weighted by how much; 100 %: alike in all.",
            ),
            "Row": st.column_config.NumberColumn("Row", format="localized"),
        },
        alt="Rows of the table that are most like this one",
    )  # fmt: skip
    st.caption(
        "From the table that the model learned from, so that it has seen what became of these rows. Of a "
        "large table about 20,000 rows are searched."
    )


def _table(model: Model, found: list[Json]) -> pl.DataFrame:
    target = str(model.contract.get("target", "target"))
    names = [field.name for field in predict_form.fields(model)][:SIMILAR]
    lines: list[dict[str, Any]] = []
    for each in found:
        line: dict[str, Any] = {"Row": each["row"], "Likeness": 100.0 * (1.0 - each["distance"])}
        line[f"{target} (actual)"] = _cell(each["actual"])
        line[f"{target} (predicted)"] = _cell(each["prediction"])
        lines.append(line | {name: _cell(each["values"].get(name)) for name in names})
    return pl.DataFrame(lines, infer_schema_length=None)


def _cell(value: Any) -> str:
    if value is None:
        return words.MISSING
    if isinstance(value, bool):
        return str(value).lower()
    return words.number(value) if isinstance(value, int | float) else words.short(value, 60)
