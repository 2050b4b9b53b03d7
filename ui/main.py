"""The Streamlit script: what all pages share, then the page that the URL names."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from flowml.ui import navigation, session
from flowml.ui.components import reader

STATIC = Path(__file__).resolve().parent / "static"

st.set_page_config(
    page_title="FlowML Studio",
    page_icon=STATIC / "icon.png",  # explicit: without one, browsers ask a font server of the world
    layout="wide",
    initial_sidebar_state="auto",
    menu_items={"About": "**FlowML Studio**: private AutoML for tables. Nothing leaves this machine."},
)
st.html(STATIC / "studio.css")
st.logo(STATIC / "logo.svg", size="large", icon_image=STATIC / "mark.svg")
reader.show()
session.announce()
st.navigation(navigation.sections(), position="sidebar", expanded=True).run()
