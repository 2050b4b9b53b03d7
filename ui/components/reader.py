"""Who reads: at the foot of the sidebar with a way out, and in the place of every page once signed out."""

from __future__ import annotations

import streamlit as st

from flowml.storage.errors import FlowMLError
from flowml.ui import session, words
from flowml.ui.components import layout
from flowml.ui.components.faults import box
from flowml.ui.door import LOGIN


def show() -> None:
    """Ends the run where nobody is signed in; else nothing below asks for whom it works."""
    try:
        person = session.person()
    except FlowMLError as error:
        _signed_out(error)
        st.stop()
    if not session.signs_in():
        return
    with st.sidebar:
        line = st.container(horizontal=True, vertical_alignment="center", gap="small")
        line.caption(f":material/account_circle: {words.plain(words.short(person.name, 24))} · {person.role}")
        line.button(
            "Sign out", on_click=session.sign_out, type="tertiary", icon=":material/logout:", key="sign-out"
        )


def _signed_out(error: FlowMLError) -> None:
    layout.heading("Signed out")
    box(error)
    st.html(f'<a class="flowml-link" href="{LOGIN}" target="_self">Sign in</a>')
