"""How another worker joins this studio."""

from __future__ import annotations

import streamlit as st

from flowml.ui import session


def command() -> str:
    """Without an external Redis a worker finds the studio's own by the data folder, on this machine only."""
    settings = session.studio().settings
    if settings.redis_url:
        return "FLOWML_REDIS_URL=redis://HOST:PORT flowml-worker start"
    return "flowml-worker start"


def show() -> None:
    settings = session.studio().settings
    with st.container(border=True):
        st.subheader("Add a worker", anchor=False)
        if settings.redis_url:
            st.markdown(
                ":gray[On this or another machine, with the address of the Redis that this studio uses:]"
            )
        else:
            st.markdown(":gray[On this machine, with the same data folder:]")
        st.code(command(), language="bash")
        st.markdown(":gray[What a machine can do, without joining:]")
        st.code("flowml-worker probe", language="bash")
