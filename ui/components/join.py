"""How another worker joins this studio."""

from __future__ import annotations

import shlex

import streamlit as st

from flowml.runner.connection import masked
from flowml.runner.joining import join_command
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage.records import Scope
from flowml.ui import session


def command(settings: Settings) -> str:
    """A worker finds the studio by its Redis, and the studio's own Redis by the data folder."""
    if settings.redis_url:
        return f"flowml-worker start --redis {shlex.quote(masked(settings.redis_url))}"
    if settings.home == Settings().home:
        return "flowml-worker start"
    return f"FLOWML_HOME={shlex.quote(str(settings.home))} flowml-worker start"


def show() -> None:
    studio = session.studio()
    settings = studio.settings
    with st.container(border=True):
        st.subheader("Add a worker", anchor=False)
        if settings.redis_url:
            st.markdown(":gray[On any machine that reaches the same Redis; put in its password:]")
        else:
            st.markdown(":gray[On this machine, beside those that the studio started itself:]")
        st.code(command(settings), language=None, wrap_lines=True)
        if not settings.redis_url:
            _other_machines(studio)
        st.markdown(":gray[What a machine could do, without joining:]")
        st.code("flowml-worker probe", language=None)


def _other_machines(studio: Studio) -> None:
    endpoint = studio.endpoint
    if endpoint is None:
        st.markdown(
            ":gray[For other machines, start the studio with] `flowml up --lan` "
            ":gray[(or] `--tailscale`:gray[).]"
        )
    elif session.person().may(Scope.ADMIN):
        st.markdown(":gray[On another machine, with FlowML installed; the token is a secret:]")
        st.code(join_command(endpoint), language=None, wrap_lines=True)
    else:
        st.markdown(":gray[An administrator sees here how another machine joins.]")
