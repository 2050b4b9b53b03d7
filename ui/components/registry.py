"""The registry of models: names with their versions, and the stages that point to one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.errors import FlowMLError, NotFound
from flowml.storage.records import Model, RegisteredModel
from flowml.ui import catalog, session, words
from flowml.ui.components import clock, layout
from flowml.ui.components.confirm import confirm
from flowml.ui.components.faults import box, explained

STAGES = ("production", "staging", "candidate", "archived")
COLOURS: dict[str, Literal["green", "gray"]] = {"production": "green", "archived": "gray"}
ANYWAY = (
    "A stage moves by itself only to a model of the same task and classes that needs no further column. "
    "Tick this where the programs that ask for it know."
)
ADVICE = "A stage is a name that points to one version. Programs ask for it and follow when it moves on."


def names(registered: Sequence[RegisteredModel]) -> None:
    """A card for each name: its versions, its stages, the way to them."""
    with st.grid(min_column_width=300):
        for name, versions in groupby(registered, key=lambda each: each.name):
            _card(name, list(versions))


def _card(name: str, versions: Sequence[RegisteredModel]) -> None:
    newest = max(versions, key=lambda each: each.created_at)
    with st.container(border=True, gap="xsmall"):
        layout.link(st.container(), "models", words.plain(words.short(name, 40)), "deployed_code", name=name)
        st.caption(f"{words.plural(len(versions), 'version')}, the newest {clock.ago(newest.created_at)}")
        line = st.container(horizontal=True, gap="xsmall")
        pointed = [(alias, each.version) for each in versions for alias in each.aliases]
        for alias, version in pointed:
            with line:
                stage(alias, f" v{version}")
        if not pointed:
            line.caption("No stage points to it yet.")


def stage(alias: str, more: str = "") -> None:
    st.badge(f"{alias}{more}", color=COLOURS.get(alias, "blue"))


# --- one name ---------------------------------------------------------------------------------------------


def name_page(name: str) -> None:
    with explained("Models", "models"):
        versions = session.client().registered(name)
    layout.heading(words.plain(name), ADVICE)
    layout.link(st.container(), "models", "All models", "arrow_back")
    with st.container(border=True, gap="small"):
        for each in versions:
            _version(each)
    _asked_by_programs(name, versions)


def _version(each: RegisteredModel) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", gap="small")
    layout.link(line.container(width=110), "models", f"Version {each.version}", model=each.model_id)
    line.container(width=180).markdown(_score(each))
    line.container(width=110).caption(clock.ago(each.created_at))
    stages = line.container(horizontal=True, width="stretch", gap="xsmall")
    for alias in each.aliases:
        with stages:
            stage(alias)
    if not each.aliases:
        stages.caption("no stage")
    acts = line.container(horizontal=True, width="content", gap="xsmall")
    promote(acts, each)
    _unregister(acts, each)
    if each.note:
        st.caption(words.plain(each.note))


def _score(each: RegisteredModel) -> str:
    try:
        model = session.client().model(each.model_id)
    except NotFound:
        return ":gray[the model is gone]"
    return f":gray[{catalog.metric(model.metric)}] **{words.score(model.score)}**"


def promote(place: DeltaGenerator, each: RegisteredModel) -> None:
    """A choice of stages; the one that is chosen points to this version from then on."""
    key = f"{each.name}-{each.version}"
    with place.popover("Stage", icon=":material/flag:", key=f"stage-{key}"):
        alias = st.selectbox(
            "Point a stage to this version",
            STAGES,
            key=f"alias-{key}",
            accept_new_options=True,
            help="Pick one or write your own: letters, digits and . _ -",
        )
        anyway = st.checkbox("Even to a model of other columns or classes", key=f"anyway-{key}", help=ANYWAY)
        if st.button("Promote", type="primary", icon=":material/flag:", key=f"promote-{key}") and alias:
            act = partial(session.client().promote, each.name, each.version, alias, anyway)
            _done(act, each.name, f"{each.name}@{alias} is version {each.version} now.")
        for known in each.aliases:
            if st.button(f"Take {known} away", icon=":material/remove:", key=f"drop-{key}-{known}"):
                take = partial(session.client().drop_alias, each.name, known)
                _done(take, each.name, f"{known} points to no version of {each.name} now.")


def _unregister(place: DeltaGenerator, each: RegisteredModel) -> None:
    question = (
        f"Take version {each.version} of **{words.plain(each.name)}** out of the registry? The model stays."
    )
    key = f"unregister-{each.name}-{each.version}"
    if confirm(place, "Remove", "delete", question, "Take it out", key):
        left = len(session.client().registered(each.name)) - 1
        act = partial(session.client().unregister, each.name, each.version)
        notice = f"Version {each.version} of {each.name} is out of the registry."
        _done(act, each.name if left else "", notice)


def _done(act: Callable[[], object], name: str, notice: str) -> None:
    """Does what was asked and shows the name again, or says why it cannot be done."""
    try:
        act()
    except FlowMLError as error:
        box(error)
        return
    session.leave_notice(notice)
    layout.go("models", **({"name": name} if name else {}))


def _asked_by_programs(name: str, versions: Iterable[RegisteredModel]) -> None:
    pointed = next((alias for each in versions for alias in each.aliases), "production")
    st.subheader("Ask it from a program", anchor=False)
    st.caption("The name stays the same while versions come and go.")
    st.code(f"flowml models download {name}@{pointed} --out model.onnx", language="sh")
    st.code(f"POST /api/results/model/{name}@{pointed}/predict", language="http")


# --- one model --------------------------------------------------------------------------------------------


def of_model(model: Model) -> None:
    """Under which names it is known, and a form to give it one."""
    known = [each for each in session.client().registered() if each.model_id == model.id]
    for each in known:
        line = st.container(horizontal=True, vertical_alignment="center", gap="small")
        label = f"{words.plain(each.name)} v{each.version}"
        layout.link(line.container(width="stretch"), "models", label, "deployed_code", name=each.name)
        for alias in each.aliases:
            with line:
                stage(alias)
        promote(line, each)
    if not known:
        st.caption("It has no name yet. A name gives programs one address that stays while models change.")
    with st.form("register", border=False):
        left, right = st.columns(2)
        name = left.text_input(
            "Name",
            placeholder="churn",
            max_chars=64,
            key="register-name",
            help="Programs ask for the model by it. Letters, digits and . _ -",
        )
        alias = right.selectbox(
            "Stage", ["", *STAGES], format_func=lambda each: each or "none yet", accept_new_options=True,
            key="register-alias", help="Points to this version from then on. Pick one or write your own.",
        )  # fmt: skip
        note = st.text_input(
            "Note",
            placeholder="why this one",
            max_chars=2000,
            key="register-note",
            help="What is new in this version. May stay empty.",
        )
        if st.form_submit_button("Register as the next version", icon=":material/add:"):
            _register(model, (name or "").strip(), note or "", alias or "")


def _register(model: Model, name: str, note: str, alias: str) -> None:
    try:
        made = session.client().register_model(name, model.id, note, alias)
    except FlowMLError as error:
        box(error)
        return
    session.leave_notice(f"Registered as version {made.version} of {made.name}.")
    layout.go("models", model=model.id)
