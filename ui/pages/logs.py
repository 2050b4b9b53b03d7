"""What the studio and its workers said: search, job, machine, level, follow."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from flowml.storage.errors import NotReady
from flowml.storage.records import Level
from flowml.ui import session, words
from flowml.ui.components import layout, log
from flowml.ui.components.faults import explained

LIMIT = 1000


def _sources() -> list[str]:
    """The studio and all workers that it knows, and the one that the address names."""
    asked = st.query_params.get("source")
    names = {asked} if asked else set()
    with suppress(NotReady):  # without Redis the lines are what one wants to read
        names |= {worker.name for worker in session.client().workers()}
    return ["studio", *sorted(names - {"studio"})]


layout.heading("Logs", "What the studio and its workers said, the newest at the end.")
with st.container(horizontal=True, vertical_alignment="bottom"):
    text = st.text_input(
        "Search",
        key="text",
        placeholder="Words",
        icon=":material/search:",
        bind="query-params",
        help="Lines with this text in them.",
    )
    job_id = st.text_input(
        "Job",
        key="job",
        placeholder="Id of a job",
        bind="query-params",
        help="Lines about one job. Its id stands on its Receipt.",
    )
    source = st.selectbox(
        "Machine",
        _sources(),
        index=None,
        key="source",
        placeholder="All machines",
        bind="query-params",
        help="Lines of the studio or of one worker.",
    )
    level = st.segmented_control(
        "Least severe",
        [level.value for level in Level],
        default=Level.INFO.value,
        required=True,
        format_func=str.capitalize,
        key="level",
        bind="query-params",
        help="Lines of this level and those that are worse.",
    )
    follow = st.toggle(
        "Follow", value=True, key="follow", bind="query-params", help="Look for new lines every two seconds."
    )


@st.fragment(run_every=2.0 if follow else None)
def lines() -> None:
    with explained():
        entries = session.client().logs(
            text=text or None, level=Level(level), source=source, job_id=job_id or None, limit=LIMIT
        )
    if entries:
        log.page(entries, "all")
        shown = words.plural(len(entries), "line")
        row = st.container(horizontal=True, vertical_alignment="center")
        row.caption(f"The last {shown}; older ones are left out." if len(entries) == LIMIT else shown)
        row.download_button(
            "Download",
            lambda: log.as_text(entries),
            "flowml-log.txt",
            "text/plain",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help="The lines shown here, as a text file.",
        )
    elif text or job_id or source:
        layout.empty("search_off", "No line fits", "Try fewer words, a lower level, another machine or job.")
    else:
        layout.empty("article", "Nothing was said yet", "Start a job, and each step of it is noted here.")


lines()
