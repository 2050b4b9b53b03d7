"""What the pages share: the studio of this process, and the names of all that is kept in a URL or a session.

The server binds the studio before the first page runs; pages ask for it with `studio()`.
"""

from __future__ import annotations

from enum import StrEnum

import streamlit as st

from flowml.runner.client import Client
from flowml.runner.studio import Studio
from flowml.storage.errors import NotReady

_bound: list[Studio] = []


class Query(StrEnum):
    """Names in a page's URL, so that a reload or a second browser shows the same."""

    DATASET = "dataset"
    JOB = "job"
    MODEL = "model"
    TARGET = "target"


class Key(StrEnum):
    """Names in a browser's session, which a reload forgets."""

    NOTICE = "notice"  # what the next page says once
    WATCH = "watch"  # what this browser has seen of the job it watches
    SCORED = "scored"  # the last file that was predicted


def bind(studio: Studio | None) -> None:
    """Give the pages their studio; None takes it away."""
    _bound[:] = [] if studio is None else [studio]


def studio() -> Studio:
    if not _bound:
        raise NotReady("The studio is not started yet.", "Reload the page in a few seconds.")
    return _bound[0]


def client() -> Client:
    return studio().client


def asked(name: Query) -> str:
    """The value that the URL names, or an empty text."""
    return str(st.query_params.get(name, ""))


def remember(name: Query, value: str) -> None:
    """Write the value into the URL of this page; an empty text takes it out."""
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def leave_notice(text: str) -> None:
    """A sentence for the next page, which shows it once."""
    st.session_state[Key.NOTICE] = text


def take_notice() -> str:
    return str(st.session_state.pop(Key.NOTICE, ""))
