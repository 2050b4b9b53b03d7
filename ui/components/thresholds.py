"""The threshold of a class, moved by hand, with what each place of it costs."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import Job, Json, Model, Task
from flowml.ui import words
from flowml.ui.charts import costs
from flowml.ui.charts.costs import Choice
from flowml.ui.components import champion, chart, figures, linked
from flowml.ui.session import Query

HALF = 0.5
STEP = 0.001


def view(job: Job) -> None:
    if job.task is Task.REGRESSION:
        st.caption("A model that predicts numbers has no threshold: it answers with the number itself.")
        return
    model = champion.of(job)
    curves = model.diagnostics.get("curves", ()) if model else ()
    told = {str(curve["label"]): curve["decisions"] for curve in curves if "decisions" in curve}
    if model is None or not told:
        st.caption(
            "Nothing is kept to count from: the job made no model."
            if model is None
            else "Nothing is kept to count from: the budget of the job left no time, or it was trained by an "
            "earlier version. Clone it with a longer budget to have the costs of each threshold."
        )
        return
    st.caption(
        "The model gives a probability; a threshold makes it a yes or a no. Say what a wrong yes and a "
        "wrong no cost you, and see where the sum is least. Counted out-of-fold: on rows that the models "
        "had not seen."
    )
    name = _class(told)
    if name is not None:
        _board(model, name, told[name])


def _class(told: dict[str, Json]) -> str | None:
    names = list(told)
    if len(names) == 1:
        return names[0]
    return linked.select(
        "Class", names, Query.LABEL, default=names[0], help="The one that an answer says yes to."
    )


def _board(model: Model, name: str, decisions: Json) -> None:
    alarm, miss = _prices(name)
    known = costs.choices(decisions, alarm, miss)
    now = (model.threshold if model.task is Task.BINARY else None) or HALF
    best = costs.cheapest(known)
    chosen = costs.at(known, _slider(name, best, now))
    _counts(name, chosen, costs.at(known, now))
    left, right = st.columns([7, 5], gap="medium")
    with left, st.container(border=True):
        chart.show(
            costs.cost_curve(known, chosen, best, now, words.short(name, 24)), f"cost-{model.id}-{name}"
        )
    with right:
        _matrix(name, chosen)
        _advice(model, name, chosen)


def _prices(name: str) -> tuple[float, float]:
    left, right = st.columns(2)
    alarm = left.number_input(
        "Cost of a false alarm",
        min_value=0.0,
        value=1.0,
        key="alarm",
        bind="query-params",
        help=f"What it costs, in your unit, to take a row for {words.plain(name)} that is not.",
    )
    miss = right.number_input(
        "Cost of a miss",
        min_value=0.0,
        value=1.0,
        key="miss",
        bind="query-params",
        help=f"What it costs, in the same unit, not to notice a row of {words.plain(name)}.",
    )
    return alarm, miss


def _slider(name: str, best: Choice, now: float) -> float:
    least = min(1.0, round(best.threshold, 3))
    st.session_state.setdefault("threshold", round(now, 3))
    line = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    threshold = line.container(width="stretch").slider(
        f"Threshold for {words.plain(name)}",
        0.0,
        1.0,
        step=STEP,
        format="%.3f",
        key="threshold",
        bind="query-params",
        help="A row is taken for this class from this probability on.",
    )
    line.button(
        f"Take the cheapest: {least:.3f}",
        icon=":material/target:",
        key="cheapest",
        on_click=_take,
        args=(least,),
        help="The threshold at which the sum of both costs is least.",
    )
    return threshold


def _take(threshold: float) -> None:
    st.session_state["threshold"] = threshold


def _counts(name: str, chosen: Choice, now: Choice) -> None:
    change = chosen.cost - now.cost
    taken, of = chosen.hits + chosen.alarms, chosen.hits + chosen.misses
    with figures.strip():
        figures.card(
            "Cost",
            words.number(round(chosen.cost, 6)),
            f"{words.number(abs(round(change, 6)))} {'more' if change > 0 else 'less'} than the model now"
            if change
            else "as the model now",
        )
        figures.card(
            "Taken for it", words.count(taken), f"of {words.count(chosen.rows)} rows",
            help=f"Rows that this threshold takes for {words.plain(name)}.",
        )  # fmt: skip
        figures.card("Precision", words.percent(chosen.hits / taken if taken else None), "of them are right")
        figures.card("Recall", words.percent(chosen.hits / of if of else None), "of the class are found")


def _matrix(name: str, chosen: Choice) -> None:
    shown = words.plain(words.short(name, 24))
    table = {
        "": [f"**Is {shown}**", "**Is not**"],
        f"Taken for {shown}": [
            f":green[{chosen.hits:,}] hits",
            f":orange[{chosen.alarms:,}] false alarms",
        ],
        "Not taken": [f":orange[{chosen.misses:,}] missed", f":green[{chosen.passed:,}] rightly passed"],
    }
    st.table(table, border="horizontal", hide_index=True, alt="Rows by what they are and are taken for")


def _advice(model: Model, name: str, chosen: Choice) -> None:
    if model.task is Task.BINARY:
        st.caption(
            f"The model file answers {words.plain(name)} from {(model.threshold or HALF):.3f} on. To answer "
            f"by yours, take a row for it from a probability of {min(1.0, chosen.threshold):.3f} on: each "
            "prediction tells the probability of every class."
        )
    else:
        st.caption(
            "The model itself answers with the likeliest class. This asks of one class only: take a row for "
            f"{words.plain(name)} where its probability is at least {min(1.0, chosen.threshold):.3f}."
        )
