"""Every model that is kept: the registry of names, and one model with its card, files and report."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import ModelSummary
from flowml.ui import catalog, session, words
from flowml.ui.components import clock, layout, model, registry
from flowml.ui.components.faults import explained
from flowml.ui.session import Query

PAGE = 25


def list_page() -> None:
    layout.heading("Models", "What is kept, the names it goes by, and which version is in production.")
    with explained():
        client = session.client()
        number = int(st.session_state.get("page", 1))
        shown = client.model_summaries(limit=PAGE, offset=PAGE * (number - 1))
        total = int(client.counts()["models"])
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
    with st.container(border=True, gap="small"):
        for each in shown:
            _row(each, named.get(each.id, ""))
    if total > PAGE:
        st.pagination(-(-total // PAGE), key="page", bind="query-params")


def _row(each: ModelSummary, name: str) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    target = words.plain(words.short(each.target, 24))
    label = f"{words.plain(words.short(each.name, 34))} · {target}"
    layout.link(line.container(width="stretch"), "models", label, model=each.id)
    metric = catalog.metric(each.metric)
    line.container(width=190).markdown(f":gray[{metric}] **{words.score(each.score)}**")
    line.container(width=76).caption(words.size(each.size))
    line.container(width=100).caption(clock.ago(each.created_at))
    if name:
        with line.container(width="content"):
            st.badge(name, color="blue")


asked, name = session.asked(Query.MODEL), session.asked(Query.NAME)
if asked:
    with explained("Models", "models"):
        found = session.client().model(asked)
    with explained():
        model.page(found)
elif name:
    registry.name_page(name)
else:
    list_page()
