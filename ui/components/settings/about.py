"""What this is: version, privacy, and the packages it stands on with their licences."""

from __future__ import annotations

import platform

import polars as pl
import streamlit as st

from flowml.runner import licences
from flowml.storage.version import VERSION
from flowml.ui import words
from flowml.ui.components import figures

PRIVACY = """
Nothing leaves your machines. The studio sends no telemetry, asks for no update, and loads no font, script or
picture from elsewhere; its pages may talk to this studio alone, and browsers enforce that. Tables, models and
predictions lie in the data folder, or in the object store that you name. Other machines take part only as
workers that you start with the studio's token. A login elsewhere and an object store are the only outside
hosts that it ever talks to, and only if you set them.
"""
LICENCE = """
FlowML Studio is proprietary: all rights reserved, no warranty of any kind. The packages below keep their own
licences.
"""


def view() -> None:
    stands_on = licences.packages()
    with figures.strip():
        figures.card("FlowML Studio", VERSION)
        figures.card("Python", platform.python_version(), platform.system())
        figures.card("Packages", words.count(len(stands_on)), "each under its own licence")
    st.subheader("Privacy", anchor=False)
    st.markdown(PRIVACY)
    st.subheader("Licences", anchor=False)
    st.markdown(LICENCE)
    st.dataframe(
        pl.DataFrame([package._asdict() for package in stands_on]),
        hide_index=True,
        height=420,
        column_config={"name": "Package", "version": "Version", "licence": "Licence"},
        alt="The packages that FlowML Studio stands on, with version and licence",
    )
