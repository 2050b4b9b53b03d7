"""Every setting as it is in force, and where it comes from; secrets are hidden."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

from flowml.runner.settings import Effective
from flowml.ui import session, words
from flowml.ui.components import layout
from flowml.ui.components.faults import explained

SCHEMA = dict.fromkeys(("setting", "value", "from", "for", "expected"), pl.String)


def view() -> None:
    with explained():
        found = session.client().settings_in_force()
    line = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    text = line.text_input(
        "Search",
        key="setting",
        placeholder="A name, or words of what it is for",
        icon=":material/search:",
        width=360,
        help="Words of a setting's name or of what it is for.",
    )
    changed = line.toggle(
        "Only what is not at its default",
        key="changed",
        bind="query-params",
        help="Hides settings that nobody has set.",
    )
    shown = [each for each in found if _fits(each, text, changed)]
    if not shown:
        layout.empty(
            "tune",
            "No setting fits" if text else "Everything is at its default",
            "Settings come from the environment, from a file `.env`, or from `settings.toml` in the data "
            "folder.",
        )
        return
    st.dataframe(
        frame(shown),
        hide_index=True,
        height=min(640, 40 + 35 * len(shown)),
        column_config={
            "setting": st.column_config.TextColumn("Setting", width=205),
            "value": st.column_config.TextColumn("Value", width=180),
            "from": st.column_config.TextColumn("Comes from", width=115),
            "for": st.column_config.TextColumn("What it is for", width=424),
            "expected": st.column_config.TextColumn("Expected", width="medium"),
        },
        alt="Every setting with its value and where that comes from",
    )
    st.caption(
        f"{words.plural(len(shown), 'setting')}. To change one, write it into the environment, `.env` or "
        "`settings.toml` in the data folder, and start the studio again. Secrets are shown as \\*\\*\\*."
    )


def frame(found: Sequence[Effective]) -> pl.DataFrame:
    """One line a setting, as texts."""
    lines = [
        {
            "setting": each.setting.name,
            "value": readable(each),
            "from": each.origin,
            "for": each.setting.help,
            "expected": each.setting.expected,
        }
        for each in found
    ]
    return pl.DataFrame(lines, schema=SCHEMA)


def readable(each: Effective) -> str:
    """The value as people say it: durations and sizes with their units, a dash where there is none."""
    value, kind = each.value, each.setting.kind
    if each.setting.secret or value in (None, "", ()):
        return each.shown or words.MISSING
    if kind == "duration":
        return words.duration(value)
    if kind == "size":
        return words.size(value)
    if kind == "flag":
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if kind == "list" else each.shown


def _fits(each: Effective, text: str, changed: bool) -> bool:
    if changed and each.origin == "default":
        return False
    return text.strip().lower() in f"{each.setting.name} {each.setting.help}".lower()
