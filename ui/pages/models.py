"""Every model that is kept: the registry of names, and one model with its card, files and report."""

from __future__ import annotations

import streamlit as st

from flowml.storage.errors import FlowMLError
from flowml.storage.records import Job, Model
from flowml.ui import catalog, session, tasks, words
from flowml.ui.components import champion, clock, figures, jobs, layout, registry
from flowml.ui.components.confirm import confirm
from flowml.ui.components.faults import box, explained
from flowml.ui.session import Query

PAGE = 25


def list_page() -> None:
    layout.heading("Models", "What is kept, the names it goes by, and which version is in production.")
    with explained():
        client = session.client()
        number = int(st.session_state.get("page", 1))
        shown = client.models(limit=PAGE, offset=PAGE * (number - 1))
        total = int(client.stats()["models"])
        registered = client.registered()
    if not shown and number == 1:
        actions = layout.empty(
            "deployed_code",
            "No model yet",
            "Each finished job leaves its best model here. Give it a name, point production to it, and "
            "programs ask for it by that name.",
        )
        layout.link(actions, "train", "Train a model", "tune")
        layout.link(actions, "live", "See what is training", "monitoring")
        return
    st.subheader("Names", anchor=False)
    if registered:
        registry.names(registered)
    else:
        st.caption(f"No model has a name yet: open one below and register it. {registry.ADVICE}")
    st.subheader("All models", anchor=False)
    named = {each.model_id: f"{each.name} v{each.version}" for each in registered}
    with st.container(border=True, gap="xsmall"):
        for model in shown:
            _row(model, named.get(model.id, ""))
    if total > PAGE:
        st.pagination(-(-total // PAGE), key="page", bind="query-params")


def _row(model: Model, name: str) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", gap="small")
    target = words.plain(words.short(model.contract.get("target", ""), 24))
    label = f"{words.plain(words.short(model.name, 34))} · {target}"
    layout.link(line.container(width=330), "models", label, model=model.id)
    metric = catalog.metric(model.metric)
    line.container(width=190).markdown(f":gray[{metric}] **{words.score(model.score)}**")
    line.container(width=76).caption(words.size(model.onnx.size))
    line.container(width=100).caption(clock.ago(model.created_at))
    if name:
        with line.container(width="content"):
            st.badge(name, color="blue")


# --- one model --------------------------------------------------------------------------------------------


def model_page(model: Model) -> None:
    with explained():
        job = session.client().job(model.job_id)
    caption = (
        f"{words.plain(jobs.title(job))} · {tasks.WORDS[model.task]} · made {clock.ago(model.created_at)}"
    )
    actions = layout.heading(words.plain(words.short(model.name)), caption)
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
            lines = {name: str(value) for name, value in told.items()}
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


def _delete(place: st.delta_generator.DeltaGenerator, model: Model, job: Job) -> None:
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


asked, name = session.asked(Query.MODEL), session.asked(Query.NAME)
if asked:
    with explained("Models", "models"):
        found = session.client().model(asked)
    with explained():
        model_page(found)
elif name:
    registry.name_page(name)
else:
    list_page()
