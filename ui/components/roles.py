"""What columns are for and how they are read, to be changed in a table."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from flowml.storage.mending import TYPES, retyped
from flowml.storage.records import Column, Dataset, Role
from flowml.ui import session, words
from flowml.ui.components import layout
from flowml.ui.components.faults import explained
from flowml.ui.components.schema import ROLE_WORDS, range_of

AS_IT_IS = "as it is"
ONCE = (Role.GROUP, Role.TIME, Role.WEIGHT)  # a job has one column of each at most
BY_WORD = {word: role for role, word in ROLE_WORDS.items()}
OFFERED = [word for role, word in ROLE_WORDS.items() if role is not Role.TARGET]
SCHEMA = dict.fromkeys(("column", "role", "read", "type", "example", "reason"), pl.String)


def view(dataset: Dataset) -> None:
    st.caption(
        "Every later job begins with these roles. To read a column as another type makes the next version of "
        "the dataset; values that do not fit become missing."
    )
    edited = st.data_editor(
        frame(dataset),
        key=f"roles-{dataset.id}",
        hide_index=True,
        disabled=["column", "type", "example", "reason"],
        column_config=_config(),
        height=min(560, 40 + 35 * max(1, len(dataset.schema.columns))),
    )
    roles, types = changes(dataset, edited)
    trouble = _trouble(roles)
    if trouble:
        st.warning(trouble, icon=":material/warning:")
    row = st.container(horizontal=True, gap="small")
    same = roles == dataset.roles and not types
    if row.button(
        "Save",
        type="primary",
        icon=":material/check:",
        disabled=same or bool(trouble),
        key="save-roles",
        help="Jobs that start from now on use these roles.",
    ):
        _save(dataset, roles, types)
    if row.button(
        "As guessed",
        icon=":material/undo:",
        disabled=not dataset.roles,
        key="guess-roles",
        help="Takes back every change to the roles.",
    ):
        _save(dataset, {}, {})


def frame(dataset: Dataset) -> pl.DataFrame:
    return pl.DataFrame([_line(column, dataset) for column in dataset.schema.columns], schema=SCHEMA)


def _line(column: Column, dataset: Dataset) -> dict[str, str]:
    said = column.name in dataset.roles
    return {
        "column": column.name,
        "role": ROLE_WORDS[dataset.roles.get(column.name, column.role)],
        "read": AS_IT_IS,
        "type": column.type,
        "example": words.short(", ".join(column.top[:3]) or range_of(column), 60),
        "reason": f"you said so; guessed {ROLE_WORDS[column.role]}: {column.reason}"
        if said
        else column.reason,
    }


def changes(dataset: Dataset, edited: pl.DataFrame) -> tuple[dict[str, Role], dict[str, str]]:
    """The roles that differ from the guess, and the types that columns are to be read as."""
    guessed = {column.name: column.role for column in dataset.schema.columns}
    roles: dict[str, Role] = {}
    types: dict[str, str] = {}
    for name, word, read in edited.select("column", "role", "read").iter_rows():
        role = BY_WORD.get(word, guessed[name])
        if role is not guessed[name]:
            roles[name] = role
        if read in TYPES:
            types[name] = read
    return roles, types


def _trouble(roles: dict[str, Role]) -> str:
    for role in ONCE:
        names = [name for name, each in roles.items() if each is role]
        if len(names) > 1:
            return f"{words.plain(words.listing(names))} have the role {ROLE_WORDS[role]}: keep one of them."
    return ""


def _save(dataset: Dataset, roles: dict[str, Role], types: dict[str, str]) -> None:
    client = session.client()
    with explained(), st.spinner("Saving…"):
        changed = client.set_roles(dataset.id, roles)
        if types:
            changed = client.derive(dataset.id, retyped(types))
    made = f"Made version {changed.version}." if types else "The roles are saved."
    session.leave_notice(made)
    layout.go("data", dataset=changed.id)


def _config() -> dict[str, Any]:
    config = st.column_config
    return {
        "column": config.TextColumn("Column", pinned=True, width="medium"),
        "role": config.SelectboxColumn(
            "Role", options=OFFERED, required=True, width=120, help="What the column is used for in training."
        ),
        "read": config.SelectboxColumn(
            "Read as", options=[AS_IT_IS, *TYPES], required=True, width=150, help="Makes the next version."
        ),
        "type": config.TextColumn("Type now", width=90),
        "example": config.TextColumn("Values", width=220),
        "reason": config.TextColumn("Why this role", width="large"),
    }
