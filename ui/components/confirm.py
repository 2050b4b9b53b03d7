"""A button that asks once more before it does what cannot be undone."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def confirm(place: DeltaGenerator, label: str, icon: str, question: str, action: str, key: str) -> bool:
    """True in the run in which the reader confirmed. Markdown in `question` must be escaped."""
    with place.popover(label, icon=f":material/{icon}:", key=f"{key}-ask"):
        st.markdown(question)
        return st.button(action, type="primary", icon=f":material/{icon}:", key=key)
