"""What the pages share: the studio of this process, and the names of all that is kept in a URL or a session.

The server binds the studio before the first page runs; pages ask for it with `studio()`.
"""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum

import streamlit as st
from streamlit.errors import StreamlitAPIException

from flowml.runner.client import Client
from flowml.runner.studio import Studio
from flowml.storage.errors import NotReady, NotSignedIn
from flowml.storage.records import OWNER, Person
from flowml.ui.door import COOKIE

_bound: list[Studio] = []


class Query(StrEnum):
    """Names in a page's URL, so that a reload or a second browser shows the same."""

    DATASET = "dataset"
    JOB = "job"
    MODEL = "model"
    NAME = "name"  # of a model in the registry
    TARGET = "target"
    ROWS = "rows"  # of a leaderboard, to compare
    OTHER = "other"  # a job to compare with
    ALGORITHM = "algorithm"  # whose search is looked at
    LABEL = "label"  # the class that a threshold or an explanation is about
    COLUMN = "column"  # whose part in the answer is looked at
    ROW = "row"  # of the table that a model learned from, from 1


class Key(StrEnum):
    """Names in a browser's session, which a reload forgets."""

    NOTICE = "notice"  # what the next page says once
    WATCH = "watch"  # what this browser has seen of the job it watches
    ASKED = "asked"  # the rows that models were asked about
    FOREIGN = "foreign-answer"  # the last answer of an ONNX file made elsewhere
    SCORED = "scored"  # the last file that was predicted
    COMPARED = "compared"  # the last one that was compared with a training
    QUERIED = "queried"  # the dataset and the SQL whose rows are shown
    SECRET = "secret"  # of a token just made, until it is shown
    ANSWERED = "answered"  # the model, the question and the sentences of the last answer
    METRIC = "metric"  # the choice of the Train page
    CLONED = "cloned"  # the job whose choices the Train page has taken over


def bind(studio: Studio | None) -> None:
    """Give the pages their studio; None takes it away."""
    _bound[:] = [] if studio is None else [studio]


def studio() -> Studio:
    """The studio as the reader of this page sees it. Raises NotSignedIn once its session has ended."""
    return _studio().as_person(person())


def person() -> Person:
    """Who reads this page. Without logins, the owner of the studio."""
    entrance = _studio().entrance
    if not entrance.needed:
        return OWNER
    found = entrance.of_cookie(st.context.cookies.get(COOKIE, ""))
    if found is None:
        raise NotSignedIn("You are signed out.", "Sign in again to go on.")
    return found


def signs_in() -> bool:
    """Whether readers sign in here at all."""
    return _studio().entrance.needed


def sign_out() -> None:
    _studio().entrance.sign_out(st.context.cookies.get(COOKIE, ""))


def _studio() -> Studio:
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


def announce() -> None:
    """Have the browser show what was asked as its address, and keep the one before for its back button.

    After a link to the page where the reader is already, Streamlit leaves the address as it was.
    """
    for name in Query:
        if value := asked(name):
            with suppress(StreamlitAPIException):  # that of a widget, which tells it itself
                remember(name, value)
                return  # one is enough: all that is asked is told with it
    if not st.query_params:
        st.query_params.clear()


def default_to(name: Query, value: str) -> None:
    """Write the value into the URL of this page where it names none."""
    if not asked(name):
        remember(name, value)


def choose_metric(key: str) -> None:
    """Sets the choice of the Train page; to be called before the page is drawn, as by a click."""
    st.session_state[Key.METRIC] = key


def leave_notice(text: str) -> None:
    """A sentence for the next page, which shows it once."""
    st.session_state[Key.NOTICE] = text


def take_notice() -> str:
    return str(st.session_state.pop(Key.NOTICE, ""))
