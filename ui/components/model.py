"""One model: its names, its files, its card."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.errors import FlowMLError
from flowml.storage.records import Job, Model
from flowml.ui import catalog, session, tasks, words
from flowml.ui.components import champion, clock, figures, jobs, layout, registry
from flowml.ui.components.confirm import confirm
from flowml.ui.components.faults import box, explained


def page(model: Model) -> None:
    with explained():
        job = session.client().job(model.job_id)
    caption = (
        f"{words.plain(jobs.title(job))} · {tasks.WORDS[model.task]} · made {clock.ago(model.created_at)}"
    )
    actions = layout.heading(words.plain(words.short(model.name)), caption)
    layout.link(actions, "explain", "Explain", "insights", model=model.id)
    layout.link(actions, "predict", "Predict", "online_prediction", model=model.id)
    layout.link(actions, "results", "Results", "leaderboard", job=job.id)
    _delete(actions, model, job)
    layout.link(st.container(), "models", "All models", "arrow_back")
    _figures(model, job)
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True):
        st.subheader("Names and stages", anchor=False)
        registry.of_model(model)
    with right, st.container(border=True):
        st.subheader("Take it along", anchor=False)
        champion.downloads(model)
    _card(model)


def _figures(model: Model, job: Job) -> None:
    better = "higher is better" if job.direction == "maximize" else "lower is better"
    spread = f"± {words.score(model.score_std)} over folds" if model.score_std is not None else better
    latency = f"{model.latency_ms:.2g} ms" if model.latency_ms is not None else words.MISSING
    rows = model.card.get("training", {}).get("rows")
    with figures.strip():
        figures.card(catalog.metric(model.metric), words.score(model.score), spread, help=better.capitalize())
        figures.card("One row", latency, "on one thread")
        figures.card("Size", words.size(model.onnx.size), "ONNX")
        figures.card("Learned from", words.count(rows), "rows")


def _card(model: Model) -> None:
    """What is written of it, as people read it."""
    st.subheader("Card", anchor=False)
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True):
        st.markdown("**Made of**")
        champion.members(model)
        told = model.card.get("training", {})
        if told:
            st.markdown("**Training**")
            lines = {name.replace("_", " ").capitalize(): _fact(value) for name, value in told.items()}
            st.table(
                {"Fact": [words.plain(n) for n in lines], "Value": [words.plain(v) for v in lines.values()]},
                border="horizontal", hide_index=True, hide_header=True, alt="Facts of the training",
            )  # fmt: skip
    with right, st.container(border=True):
        st.markdown("**What it expects**")
        champion.contract(model)
    noted = [*(each["message"] for each in model.card.get("findings", ())), *model.card.get("notes", ())]
    if noted:
        with st.container(border=True):
            st.markdown("**What was noticed**")
            st.markdown("\n".join(f"- {words.plain(words.sentence(text))}" for text in noted))


def _fact(value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return words.number(value) if number else str(value)  # type: ignore[arg-type]


def _delete(place: DeltaGenerator, model: Model, job: Job) -> None:
    question = (
        f"Delete **{words.plain(words.short(model.name))}** with its job, its trials and its files? "
        "This cannot be undone."
    )
    if not confirm(place, "Delete", "delete", question, "Delete it all", "delete-model"):
        return
    try:
        session.client().delete_job(job.id)
    except FlowMLError as error:
        box(error)
        return
    session.leave_notice(f"Deleted {model.name}.")
    layout.go("models")
