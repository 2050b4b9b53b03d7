"""The frame that every page has: a heading with room for actions, and what to show where nothing is."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.ui import navigation, session


def heading(title: str, caption: str = "") -> DeltaGenerator:
    """The page's title; gives the container on its right for badges and buttons. Markdown must be escaped."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    row.title(title, anchor=False, width="stretch")
    actions = row.container(horizontal=True, width="content", vertical_alignment="center", gap="small")
    if caption:
        st.caption(caption)
    notice = session.take_notice()
    if notice:
        st.toast(notice, icon=":material/check_circle:")
    return actions


def empty(icon: str, title: str, text: str) -> DeltaGenerator:
    """Where nothing is yet: what this place is for, and room for the next step."""
    box = st.container(border=True, horizontal_alignment="center", gap="small")
    box.html(f'<div class="flowml-icon" aria-hidden="true" translate="no">{icon}</div>')
    box.markdown(f"### {title}", text_alignment="center", anchors=False)
    box.markdown(f":gray[{text}]", text_alignment="center", width=520)
    actions = box.container(
        horizontal=True, horizontal_alignment="center", vertical_alignment="center", gap="medium"
    )
    box.space("small")
    return actions


def link(place: DeltaGenerator, page: str, label: str, icon: str = "", **query: str) -> None:
    """A link to another page of the studio, with its place in the URL."""
    place.page_link(
        navigation.file_of(page),
        label=f":primary[{label}]",
        icon=f":material/{icon}:" if icon else None,
        query_params=query or None,
    )


def go(page: str, **query: str) -> None:
    st.switch_page(navigation.file_of(page), query_params=query or None)
