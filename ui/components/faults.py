"""Errors in words: what was wrong and what to do next, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from flowml.storage.errors import FlowMLError, InputError, NotFound, NotReady
from flowml.ui import words
from flowml.ui.components import layout

TITLES: tuple[tuple[type[FlowMLError], str], ...] = (
    (NotFound, "Not here"),
    (NotReady, "Not ready"),
    (InputError, "This does not work yet"),
    (FlowMLError, "This failed"),
)


def away(error: FlowMLError, meanwhile: str) -> None:
    """For a page that goes on with what it has while something does not answer."""
    st.warning(
        f"{words.said(words.sentence(error.message))} {meanwhile}",
        title="Redis does not answer",
        icon=":material/cloud_off:",
    )


def box(error: FlowMLError) -> None:
    title = next(title for kind, title in TITLES if isinstance(error, kind))
    body = words.said(words.sentence(error.message))
    advice = f"\n\n{words.said(error.advice)}" if error.advice else ""
    st.error(body + advice, title=title, icon=":material/error:")


@contextmanager
def explained(title: str = "", page: str = "") -> Iterator[None]:
    """Show an expected error where it happened and end the page there.

    With a title the page has no heading yet and gets this one, and a way back to `page`.
    """
    try:
        yield
    except FlowMLError as error:
        if title:
            layout.heading(title)
        box(error)
        if page:
            layout.link(st.container(), page, "Back to the list", "arrow_back")
        st.stop()
