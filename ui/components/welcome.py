"""The first page of a new studio: what it is for and the way through it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from flowml.ui.components import layout, samples


@dataclass(frozen=True)
class Step:
    icon: str
    title: str
    text: str


STEPS = (
    Step(
        "upload_file", "1. Bring a table", "CSV, Excel, Parquet or JSON. It is read, checked and kept here."
    ),
    Step(
        "ads_click",
        "2. Name the column to predict",
        "Set a time budget. Watch models train live, stop any time.",
    ),
    Step(
        "online_prediction",
        "3. Use the best model",
        "Ask it by form, file or REST, or take it along as ONNX.",
    ),
)


def show() -> None:
    st.title("Welcome to FlowML Studio", anchor=False)
    st.markdown(":gray[Private AutoML for tables. Everything runs on your machines; nothing leaves them.]")
    st.space("small")
    with st.grid(min_column_width=240, border=True):
        for step in STEPS:
            with st.container(gap="xsmall"):
                st.markdown(f"**:blue[:material/{step.icon}:] {step.title}**")
                st.markdown(f":gray[{step.text}]")
    st.space("small")
    actions = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    samples.button(actions, primary=True)
    layout.link(actions, "data", "Upload your own table", "upload")
