"""Which columns of a dataset belong together, and rows that are repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from flowml.storage.records import Association, Profile
from flowml.ui import words
from flowml.ui.charts.associations import MEASURES

SHOWN = 50
MOST_LINES = 10  # of a table that does not scroll
NAME = 30  # letters of a column's name for which a table has room
SCHEMA: dict[str, Any] = {
    "column": pl.String,
    "other": pl.String,
    "strength": pl.Float64,
    "measure": pl.String,
}


def show(profile: Profile) -> None:
    st.subheader("Columns that belong together", anchor=False)
    if profile.associations:
        st.dataframe(
            frame(profile.associations[:SHOWN]),
            hide_index=True,
            column_config=_config(),
            height="content" if len(profile.associations) <= MOST_LINES else 400,
            alt="Pairs of columns that belong together, strongest first",
        )
    else:
        st.caption("No two columns have much to do with each other.")
    st.caption(_foot(profile))


def _foot(profile: Profile) -> str:
    parts = []
    compared, all_ = len(profile.related), len(profile.columns)
    if SHOWN <= compared < all_:
        parts.append(f"Of {words.count(all_)} columns, the first {compared} whose values tell were compared.")
    if profile.duplicates is not None:
        repeated = words.plural(profile.duplicates, "row repeats", "rows repeat")
        parts.append(f"{repeated} an earlier one." if profile.duplicates else "No row repeats another.")
    if profile.sampled < profile.rows:
        parts.append(
            f"Quantiles and strengths come from a sample of {words.count(profile.sampled)} rows; "
            "counts are of all."
        )
    return " ".join(parts)


def frame(associations: Sequence[Association]) -> pl.DataFrame:
    rows = [
        {
            "column": words.middle(each.column, NAME),
            "other": words.middle(each.other, NAME),
            "strength": 100 * abs(each.value),
            "measure": MEASURES[each.measure] + (", falling" if each.value < 0 else ""),
        }
        for each in associations
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _config() -> dict[str, Any]:
    config = st.column_config
    return {
        "column": config.TextColumn("Column", width="medium"),
        "other": config.TextColumn("and", width="medium"),
        "strength": config.ProgressColumn(
            "Strength",
            format="%.0f %%",
            min_value=0.0,
            max_value=100.0,
            width=160,
            help="100 %: each tells the other.",
        ),
        "measure": config.TextColumn("Measure", width="medium"),
    }
