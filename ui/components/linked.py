"""Choices that stand in the URL, so that a reload, a bookmark and the back button show the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from flowml.ui import session
from flowml.ui.session import Query


def select(
    label: str,
    options: Sequence[str],
    query: Query,
    format_func: Callable[[str], str] = str,
    placeholder: str = "",
    help: str | None = None,
    default: str | None = None,
) -> str | None:
    """A select box; the URL decides, and a choice is written there."""
    key = f"linked-{query}"
    asked = session.asked(query) or default
    st.session_state[key] = asked if asked in options else None  # also after a page with the same choice
    return st.selectbox(
        label,
        options,
        index=None,
        key=key,
        format_func=format_func,
        placeholder=placeholder or None,
        help=help,
        on_change=_write,
        args=(key, query),
    )


def several(
    label: str,
    options: Sequence[str],
    query: Query,
    default: Sequence[str],
    format_func: Callable[[str], str] = str,
    limit: int | None = None,
    help: str | None = None,
) -> list[str]:
    """A box for several choices, none of which has a comma in it; the URL decides as above."""
    key = f"linked-{query}"
    asked = [name for name in session.asked(query).split(",") if name in options] or list(default)
    st.session_state[key] = asked[:limit]
    return st.multiselect(
        label,
        options,
        key=key,
        format_func=format_func,
        max_selections=limit,
        help=help,
        on_change=_write,
        args=(key, query),
    )


def _write(key: str, query: Query) -> None:
    chosen = st.session_state[key] or ""
    session.remember(query, chosen if isinstance(chosen, str) else ",".join(chosen))
