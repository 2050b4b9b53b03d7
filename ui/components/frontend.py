"""Components with their own script: the `.html`, `.css` and `.js` beside a module, made one."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FOLDER = Path(__file__).resolve().parent


def load(name: str) -> ComponentRenderer:
    """Not in a shadow root: plotly keeps its styles in the page, and axe reads the page."""
    html, css, js = ((FOLDER / f"{name}.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component(f"flowml_{name}", html=html, css=css, js=js, isolate_styles=False)
