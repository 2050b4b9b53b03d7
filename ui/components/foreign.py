"""ONNX files made elsewhere, in the playground: asked by all, let in and removed by administrators."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from flowml.storage.errors import ContractError, FlowMLError
from flowml.storage.records import ForeignAnswer, ForeignModel, Port, Scope
from flowml.ui import session, words
from flowml.ui.charts.probabilities import probabilities
from flowml.ui.components import chart, clock, confirm, faults, layout
from flowml.ui.session import Key

MOST_MB = 200
AS_IT_IS = "Goes into the model as it is: a file from elsewhere has no contract."
TEXT, TRUTH = "string", "bool"
WHOLE = ("int", "uint")


def offered() -> bool:
    """Whether there is anything to see: a file, or the right to let one in."""
    return session.person().may(Scope.ADMIN) or bool(session.client().foreign_models())


def show() -> None:
    models = {model.id: model for model in session.client().foreign_models()}
    if not models:
        layout.empty(
            "deployed_code",
            "No file from elsewhere",
            "An administrator may let in ONNX files that other programs wrote, to be tried here. Their "
            "operators must be on a list, and they run in a process of their own with limits.",
        )
    else:
        chosen = st.selectbox(
            "File",
            list(models),
            format_func=lambda id: models[id].name,
            key="foreign",
            help="ONNX files of other programs that an administrator let in.",
        )
        if chosen:
            _one(models[chosen])
    if session.person().may(Scope.ADMIN):
        _let_in(open_=not models)


def _one(model: ForeignModel) -> None:
    graph = model.graph
    facts = [
        words.size(model.onnx.size),
        words.plural(sum(graph.operators.values()), "node"),
        f"made by {words.plain(words.short(graph.producer))}" if graph.producer else "",
        f"let in {clock.ago(model.created_at)}",
        f"by {words.plain(model.owner)}" if model.owner else "",
        words.plain(words.sentence(model.note)) if model.note else "",
    ]
    st.caption(" · ".join(fact for fact in facts if fact))
    form, answer = st.columns([3, 2], gap="large")
    with form:
        st.caption("It has no contract: values go in as they are, and nothing is checked but their number.")
        row = {port.name: _field(port, model.id) for port in graph.inputs}
        asks = st.button(
            "Ask",
            type="primary",
            icon=":material/play_arrow:",
            key="ask-foreign",
            help="Runs the file in a process of its own with limits on time and memory.",
        )
    with answer:
        if asks:
            _ask(model, row)
        known: tuple[str, ForeignAnswer] | None = st.session_state.get(Key.FOREIGN)
        if known and known[0] == model.id:
            _answer(known[1])
    if session.person().may(Scope.ADMIN):
        question = (
            f"Remove {words.plain(words.short(model.name))}? Programs that ask it get no answer any more."
        )
        if confirm.confirm(st.container(), "Remove", "delete", question, "Remove it", "remove-foreign"):
            session.client().remove_foreign(model.id)
            st.rerun()


def _ask(model: ForeignModel, row: dict[str, Any]) -> None:
    st.session_state.pop(Key.FOREIGN, None)
    try:
        read = {port.name: _read(port, row[port.name]) for port in model.graph.inputs}
        with st.spinner("Asking it in its own process"):
            st.session_state[Key.FOREIGN] = (model.id, session.client().ask_foreign(model.id, [read]))
    except FlowMLError as error:
        faults.box(error)


def _field(port: Port, model_id: str) -> Any:
    """A number, a text or a tick for one value, a line of values with commas for more."""
    key, label = f"{model_id}-{port.name}", words.plain(words.short(port.name))
    if port.width == 1 and port.type == TRUTH:
        return st.checkbox(label, key=key, help=AS_IT_IS)
    if port.width == 1 and port.type != TEXT:
        whole = port.type.startswith(WHOLE)
        return st.number_input(
            label,
            value=0 if whole else 0.0,
            format="%d" if whole else "%.6g",
            key=key,
            help=AS_IT_IS,
        )
    if port.width == 1:
        return st.text_input(label, key=key, help=AS_IT_IS)
    count = "any number of values" if port.width is None else words.plural(port.width, "value")
    start = ", ".join(["a" if port.type == TEXT else "0"] * min(port.width or 1, 1000))
    return st.text_input(
        label, start, key=key, help=f"{count.capitalize()} of {port.type}, with commas between."
    )


def _read(port: Port, value: Any) -> Any:
    if port.width == 1:
        return value
    parts = [word.strip() for word in str(value).split(",") if word.strip()]
    if port.type == TEXT:
        return parts
    try:
        cells = [_number(word) for word in parts]
    except ValueError as error:
        raise ContractError(
            f"What was given for {port.name!r} are no numbers: {str(value)[:80]!r}.", "Write 1, 2.5, 3."
        ) from error
    return cells


def _number(word: str) -> float | int | bool:
    found = json.loads(word.lower())
    if not isinstance(found, int | float):
        raise ValueError(word)
    return found


def _answer(answer: ForeignAnswer) -> None:
    with st.container(border=True):
        for name, values in answer.outputs.items():
            value = _bare(values[0])
            if isinstance(value, dict) and value:
                shares = {str(label): float(share or 0) for label, share in value.items()}
                chart.show(probabilities(list(shares), list(shares.values()), "class"), f"foreign-{name}")
            elif isinstance(value, list | dict):
                _list(name, value)
            else:
                shown = words.number(value) if isinstance(value, int | float) else words.short(value, 40)
                st.metric(words.plain(words.short(name)), shown)
        st.caption(f"Answered in {words.duration(answer.seconds)}, with opening the file.")


def _list(name: str, value: Any) -> None:
    st.markdown(f"**{words.plain(words.short(name))}**")
    flat: Sequence[Any] = value if isinstance(value, list) else [value]
    if all(isinstance(each, int | float) for each in flat):
        st.dataframe(
            {"Place": list(range(len(flat))), "Value": list(flat)}, hide_index=True, alt=f"Output {name}"
        )
    else:
        st.json(value, expanded=1)


def _bare(value: Any) -> Any:
    """The one value of a list of one."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def _let_in(open_: bool) -> None:
    with st.expander("Let a file in", expanded=open_, icon=":material/add:"):
        file = st.file_uploader(
            "ONNX file",
            ["onnx"],
            key="foreign-file",
            max_upload_size=MOST_MB,
            help="It is looked through and tried before it is let in.",
        )
        row = st.container(horizontal=True, vertical_alignment="bottom")
        name = row.text_input(
            "Name",
            key="foreign-name",
            placeholder="the name of the file",
            help="How it is called in the list.",
        )
        note = row.text_input(
            "Note",
            key="foreign-note",
            placeholder="where it is from",
            help="Where it comes from or what it is for. May stay empty.",
        )
        if (
            not row.button("Let it in", icon=":material/add:", key="let-in", disabled=file is None)
            or file is None
        ):
            return
        with tempfile.TemporaryDirectory(prefix="flowml-foreign-") as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(file.getbuffer())
            try:
                with st.spinner("Looking into it"):
                    made = session.client().add_foreign(path, name or Path(file.name).stem, note)
            except FlowMLError as error:
                faults.box(error)
                return
        session.leave_notice(f"{made.name} was let in.")
        st.rerun()
