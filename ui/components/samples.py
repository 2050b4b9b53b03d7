"""The button that brings small real tables, so that there is something to try."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.ui import session
from flowml.ui.components import layout
from flowml.ui.components.faults import explained


def button(place: DeltaGenerator, *, primary: bool = False) -> None:
    asked = place.button(
        "Try it with sample data",
        icon=":material/science:",
        type="primary" if primary else "secondary",
        key="samples",
        help="Adds two small real tables that come with the studio.",
    )
    if asked:
        with explained(), st.spinner("Adding the sample tables"):
            session.studio().add_samples()
        session.leave_notice("The sample tables are here. Open one, or train on it.")
        layout.go("data")
