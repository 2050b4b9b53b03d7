"""Questions about a model, answered from its numbers alone, and the report with the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.runner.questions import Way
from flowml.storage.errors import FlowMLError
from flowml.storage.records import Model, Sentence, Statement
from flowml.ui import session, words
from flowml.ui.components import faults
from flowml.ui.session import Key

ANSWERS = {
    Way.WORKER: "A worker that has Ollama answers.",
    Way.STUDIO: "The studio asks Ollama itself.",
}
WAITS = {
    Way.WORKER: "A worker that is free takes the question; while all of them train, it waits for a minute.",
    Way.STUDIO: "The model reads the statements.",
    Way.NONE: "",
}
EXAMPLE = "What matters most, and where does it err?"


def view(model: Model) -> None:
    questions = session.studio().questions
    known = {each.id: each for each in questions.statements(model.id)}
    way = questions.way
    if way is Way.NONE:
        st.caption(
            "No local language model is there, so the report below stands for itself. To ask questions, "
            "start a worker on a machine where Ollama runs, or set FLOWML\\_OLLAMA\\_MODEL to a model of the "
            "Ollama beside the studio. Nothing leaves your machines either way."
        )
    else:
        st.caption(
            f"{ANSWERS[way]} The language model is given the sentences of the report without any name or "
            "cell of your table, and may only phrase them. A sentence whose numbers are not in its source "
            "is withheld."
        )
        _asked(model, known)
    st.subheader("Report", anchor=False)
    _report(questions.report(model.id), known)


def _asked(model: Model, known: Mapping[str, Statement]) -> None:
    with st.form("ask", border=False):
        line = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        question = line.text_input(
            "Question",
            max_chars=500,
            placeholder=EXAMPLE,
            key="question",
            help="About this job and its model; the answer may only use numbers that were computed here.",
        )
        pressed = line.form_submit_button("Ask", type="primary", icon=":material/forum:")
    box = st.container()
    if pressed and question.strip():
        _streamed(model, question, known, box)
        return
    if pressed:
        box.caption(f"Write a question first, such as: {EXAMPLE}")
        return
    before = st.session_state.get(Key.ANSWERED)
    if before and before[0] == model.id:
        with box.container(border=True):
            st.markdown(f"**{words.plain(before[1])}**")
            for sentence in before[2]:
                _sentence(sentence, known)
            _withheld(before[2])


def _streamed(model: Model, question: str, known: Mapping[str, Statement], place: DeltaGenerator) -> None:
    said: list[Sentence] = []
    with place.container(border=True):
        st.markdown(f"**{words.plain(question)}**")
        room, waiting = st.container(), st.empty()
        waiting.caption(f"{WAITS[session.studio().questions.way]} Sentences appear as they are checked.")
        try:
            for sentence in session.studio().questions.answer(model.id, question):
                said.append(sentence)
                with room:
                    _sentence(sentence, known)
            waiting.empty()
        except FlowMLError as error:
            waiting.empty()
            if said:
                st.caption("The answer broke off here; what came stays.")
            faults.box(error)
        _withheld(said)
    st.session_state[Key.ANSWERED] = (model.id, question, tuple(said))


def _sentence(sentence: Sentence, known: Mapping[str, Statement]) -> None:
    if sentence.withheld:
        return
    sources = [known[source] for source in sentence.sources if source in known]
    if not sources:
        st.markdown(words.plain(sentence.text))
        return
    cells = "; ".join(words.plain(each.cell) for each in sources)
    told = "\n\n".join(words.plain(each.told()) for each in sources)
    st.markdown(f"{words.plain(sentence.text)}  \n:gray[:small[Source: {cells}]]", help=told)


def _withheld(said: Sequence[Sentence]) -> None:
    reasons = [sentence.withheld for sentence in said if sentence.withheld]
    if reasons:
        counted = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
        told = " ".join(f"{reason} ({count})" if count > 1 else reason for reason, count in counted.items())
        st.caption(f"{words.plural(len(reasons), 'sentence')} withheld: {told}")


def _report(topics: Mapping[str, Sequence[Sentence]], known: Mapping[str, Statement]) -> None:
    for topic, sentences in topics.items():
        with st.container(border=True):
            st.markdown(f"**{topic}**")
            lines = [
                f"- {words.plain(each.text)} :gray[:small[{words.plain(known[each.sources[0]].cell)}]]"
                for each in sentences
            ]
            st.markdown("\n".join(lines))
