"""Who did what, newest first. For administrators."""

from __future__ import annotations

import polars as pl
import streamlit as st

from flowml.ui import session, words
from flowml.ui.components import clock, layout
from flowml.ui.components.faults import explained

LIMIT = 200


def view() -> None:
    line = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    who = line.text_input(
        "Who", key="audit-who", placeholder="Name of a user", help="The whole name of a user."
    )
    action = line.text_input(
        "What",
        key="audit-action",
        placeholder="As dataset.delete",
        help="The whole name of an action, such as job.start.",
    )
    subject = line.text_input(
        "To what",
        key="audit-subject",
        placeholder="Id of a dataset, job or model",
        help="The whole id that it was done to.",
    )
    with explained():
        found = session.studio().people.audit(who or None, action or None, subject or None, LIMIT)
    if not found:
        layout.empty(
            "history",
            "Nothing is noted" if not (who or action or subject) else "No entry fits",
            "Each change, each login and each refusal is noted here, with who asked for it and from where.",
        )
        return
    lines = [
        {
            "at": clock.stamp(each.at)[:19],  # without the offset, which is the reader's own
            "who": each.who,
            "action": each.action,
            "subject": each.subject,
            "outcome": each.outcome,
            "via": each.via,
            "address": each.address,
        }
        for each in found
    ]
    st.dataframe(
        pl.DataFrame(lines, schema=dict.fromkeys(lines[0], pl.String)),
        hide_index=True,
        height=min(640, 40 + 35 * len(lines)),
        column_config={
            "at": "When",
            "who": "Who",
            "action": "What",
            "subject": "To what",
            "outcome": "Outcome",
            "via": "Came in by",
            "address": "From",
        },
        alt="Who did what, newest first",
    )
    cut = f" The last {LIMIT}; the REST API lists all." if len(found) == LIMIT else ""
    st.caption(f"{words.plural(len(found), 'entry', 'entries')}.{cut}")
