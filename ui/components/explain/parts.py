"""Where a model errs, and how it treats the groups of a column."""

from __future__ import annotations

import polars as pl
import streamlit as st

from flowml.storage.records import Json, Model, Task
from flowml.ui import catalog, words
from flowml.ui.charts.parts import errors, rates
from flowml.ui.components import chart, linked
from flowml.ui.session import Query

OUT_OF_FOLD = "Counted out-of-fold: each row is judged by models that had not seen it."
SURE = "3 standard errors"


def slices_view(model: Model) -> None:
    told = _told(model)
    if told is None:
        return
    _worst(told)
    column = _column(told)
    if column is None:
        return
    with st.container(border=True):
        chart.show(
            errors(column["column"], column["groups"], told["whole"], told["error"]),
            f"errors-{model.id}-{column['column']}",
        )
    _groups(model, column)


def fairness_view(model: Model) -> None:
    told = _told(model)
    if told is None:
        return
    column = _column(told)
    if column is None:
        return
    names = measures_of(model)
    if not column["used"]:
        st.caption(
            "The model does not look at this column; its groups may be treated differently all the same."
        )
    with st.container(border=True):
        keys = {each["measure"]: names[each["measure"]] for each in column["gaps"]} or {
            "error": names["error"]
        }
        unit = "Share of rows" if model.task is not Task.REGRESSION else f"In {_target(model)}"
        chart.show(
            rates(column["column"], column["groups"], keys, unit), f"rates-{model.id}-{column['column']}"
        )
    _gaps(model, column)
    st.caption(
        "The figures say how groups differ, not why, and not whether that is right: groups whose rows differ "
        "may well be answered differently. Groups of fewer than 30 rows are not compared."
    )


def measures_of(model: Model) -> dict[str, str]:
    """The measures of `automl.fairness` in words."""
    second = _second(model)
    return {
        "predicted": f"Answered as {second}",
        "hit_rate": f"Of {second}: found",
        "false_alarms": f"Of the others: taken for {second}",
        "error": "Mean absolute error" if model.task is Task.REGRESSION else "Wrong answers",
        "residual": "Mean of actual minus predicted",
    }


def _second(model: Model) -> str:
    """The class that two answers are about; of more classes none."""
    classes = [str(each) for each in model.contract.get("classes", ())]
    return words.short(classes[1], 20) if len(classes) == 2 else ""


def _told(model: Model) -> Json | None:
    told: Json | None = model.diagnostics.get("parts")
    if told:
        st.caption(OUT_OF_FOLD)
        return told
    st.caption(
        "Nothing is kept to count from: the model was made by an earlier version, or its budget left no "
        "time. Train again to have it."
    )
    return None


def _column(told: Json) -> Json | None:
    known = {each["column"]: each for each in told["columns"]}
    name = linked.select(
        "Column",
        list(known),
        Query.COLUMN,
        lambda each: words.short(each) + ("" if known[each]["used"] else " (not looked at)"),
        default=next(iter(known), None),
        help="The most important columns first, then those that the model does not look at.",
    )
    if name is None:
        st.caption("Choose a column whose groups are to be compared.")
        return None
    found: Json = known[name]
    return found


def _worst(told: Json) -> None:
    st.subheader("Where it errs most", anchor=False)
    if not told["worst"]:
        st.caption(f"No part of the table errs more than the rest by {SURE} or more.")
        return
    percent = told["error"] == "share of wrong answers"
    shown = {
        "Part": [
            " and ".join(f"{each['column']}: {each['label']}" for each in found["where"])
            for found in told["worst"]
        ],
        "Rows": [found["rows"] for found in told["worst"]],
        "Error": [_error(found["error"], percent) for found in told["worst"]],
        "Rest": [_error(found["rest"], percent) for found in told["worst"]],
        "Surety": [found["surety"] for found in told["worst"]],
    }
    config = st.column_config
    st.dataframe(
        pl.DataFrame(shown),
        hide_index=True,
        column_config={
            "Part": config.TextColumn("Part", width=230),
            "Rows": config.NumberColumn("Rows", format="localized"),
            "Error": config.TextColumn(
                str(told["error"]).capitalize(), help=f"Mean {told['error']} in this part."
            ),
            "Rest": config.TextColumn(
                "All other rows", help=f"Mean {told['error']} in the rest of the table."
            ),
            "Surety": config.NumberColumn(
                "Standard errors",
                format="%.1f",
                help=f"By how many of them the two differ: from {SURE} on it is hardly chance.",
            ),
        },
        alt="Parts of the table whose error is larger than that of the rest",
    )


def _error(value: float, percent: bool) -> str:
    return words.percent(value) if percent else words.score(value)


def _groups(model: Model, column: Json) -> None:
    groups = column["groups"]
    metric = catalog.metric(model.metric)
    table = {
        column["column"]: [group["label"] for group in groups],
        "Rows": [group["rows"] for group in groups],
        metric: [words.score(group["score"]) for group in groups],
    }
    for key, name in _answers(model):
        if key in groups[0]:
            percent = model.task is not Task.REGRESSION
            table[name] = [words.percent(g[key]) if percent else words.number(g[key]) for g in groups]
    st.dataframe(
        pl.DataFrame(table),
        hide_index=True,
        column_config={"Rows": st.column_config.NumberColumn("Rows", format="localized")},
        alt=f"Rows, score and answers of each group of {column['column']}",
    )


def _answers(model: Model) -> tuple[tuple[str, str], ...]:
    """What a group has of them: means of a number, or the shares of the second class."""
    if model.task is Task.REGRESSION:
        return ("actual", "Mean actual"), ("predicted", "Mean predicted")
    second = _second(model)
    return ("actual", f"Is {second}"), ("predicted", f"Answered as {second}")


def _gaps(model: Model, column: Json) -> None:
    names = measures_of(model)
    if not column["gaps"]:
        st.caption("There are not two groups of 30 rows or more to compare.")
        return
    share = model.task is not Task.REGRESSION
    write = words.percent if share else words.score
    table = {
        "Measure": [names[each["measure"]] for each in column["gaps"]],
        "Least": [
            f"{write(each['least']['value'])} ({words.short(each['least']['label'], 30)})"
            for each in column["gaps"]
        ],
        "Most": [
            f"{write(each['most']['value'])} ({words.short(each['most']['label'], 30)})"
            for each in column["gaps"]
        ],
        "Difference": [write(each["gap"]) for each in column["gaps"]],
        "Least by most": [
            words.MISSING if each["ratio"] is None else f"{each['ratio']:.2f}" for each in column["gaps"]
        ],
    }
    st.dataframe(
        pl.DataFrame(table), hide_index=True, alt=f"How far the groups of {column['column']} lie apart"
    )


def _target(model: Model) -> str:
    return words.short(model.contract.get("target", "the target"), 30)
