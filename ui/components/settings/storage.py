"""What the studio keeps, where and how much of it; and the removal of what nothing needs."""

from __future__ import annotations

import polars as pl
import streamlit as st

from flowml.runner.keeping import Room
from flowml.storage.errors import FlowMLError
from flowml.ui import session, words
from flowml.ui.components import figures
from flowml.ui.components.confirm import confirm
from flowml.ui.components.faults import box, explained

DAY_S = 86_400.0
AGES = {"a day": DAY_S, "a week": 7 * DAY_S, "a month": 30 * DAY_S}


def view() -> None:
    with explained():
        room = session.client().room()
    with figures.strip():
        figures.card("Kept", words.size(room.used), f"{words.count(room.shelves[0].files)} tables and models")
        figures.card("Database", words.size(room.shelves[1].size), "jobs, trials, users")
        figures.card("Free on the disk", words.size(room.free), f"of {words.size(room.total)}")
        figures.card("Disk in use", words.percent(1 - room.free / room.total if room.total else None))
    st.dataframe(
        frame(room),
        hide_index=True,
        column_config={
            "what": st.column_config.TextColumn("What", width="medium"),
            "files": st.column_config.NumberColumn("Files", format="localized", width="small"),
            "size": st.column_config.TextColumn("Size", width="small"),
            "place": st.column_config.TextColumn("Where", width="large"),
        },
        alt="What the studio keeps, where, and how much of it",
    )
    _unneeded()


def frame(room: Room) -> pl.DataFrame:
    lines = [
        {"what": each.name, "files": each.files, "size": words.size(each.size), "place": each.place}
        for each in room.shelves
    ]
    return pl.DataFrame(lines)


def _unneeded() -> None:
    st.subheader("Files that nothing needs", anchor=False)
    st.markdown(
        ":gray[A deleted job leaves none, a deleted table its file, and work that broke off may leave some. "
        "What no dataset, job or model refers to can be removed; models and tables in use always stay.]"
    )
    line = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    age = line.selectbox(
        "Only what is older than",
        list(AGES),
        index=1,
        width=200,
        key="garbage-age",
        help="Since the file was last put. Young files may belong to work that is under way.",
    )
    if line.button(
        "Look",
        icon=":material/search:",
        key="garbage-look",
        help="Counts what could be removed and removes nothing.",
    ):
        with explained(), st.spinner("Looking…"):
            found = session.client().collect_garbage(AGES[age], dry=True)
        st.info(
            f"{words.plural(found.removed, 'file')} ({words.size(found.freed)}) could be removed, "
            f"{found.kept:,} would stay.",
            icon=":material/info:",
        )
    question = f"Remove every file that nothing refers to and that is older than **{age}**?"
    if confirm(line, "Remove them", "delete", question, "Remove", "garbage-remove"):
        try:
            done = session.client().collect_garbage(AGES[age])
        except FlowMLError as error:
            box(error)
            return
        removed = f"{words.plural(done.removed, 'file')} removed"
        session.leave_notice(f"{removed}, {words.size(done.freed)} freed.")
        st.rerun()
