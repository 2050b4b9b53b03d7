"""What changed between two versions of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from flowml.storage.records import ColumnDrift, Dataset, Severity, VersionDifference
from flowml.ui import session, words
from flowml.ui.components import datasets
from flowml.ui.components.faults import explained

SCHEMA: dict[str, Any] = {
    "column": pl.String,
    "noticed": pl.String,
    "psi": pl.Float64,
    "jensen_shannon": pl.Float64,
    "before": pl.List(pl.Float64),
    "now": pl.List(pl.Float64),
    "missing_before": pl.Float64,
    "missing_now": pl.Float64,
}


def view(dataset: Dataset, others: Sequence[Dataset]) -> None:
    """`others` are the versions it can be compared with, the likeliest first."""
    by_id = {other.id: other for other in others}
    chosen = st.selectbox(
        "Compared with",
        list(by_id),
        format_func=lambda id: f"{datasets.title(by_id[id])} ({datasets.shape(by_id[id])})",
        key=f"compare-{dataset.id}",
    )
    with explained(), st.spinner("Comparing…"):
        found = session.client().difference(chosen, dataset.id)
    _summary(found)
    if dataset.query and chosen == dataset.parent:
        with st.expander("The query that made it", icon=":material/code:"):
            st.code(dataset.query, language="sql")
    if found.values.columns:
        st.dataframe(
            frame(found.values.columns),
            hide_index=True,
            column_config=_config(),
            placeholder="–",
            alt=f"How the values of {dataset.name} differ from the other version",
        )


def _summary(found: VersionDifference) -> None:
    more = found.rows_now - found.rows_before
    lines = [
        f"{words.count(found.rows_before)} rows before, {words.count(found.rows_now)} now"
        + (f" ({more:+,})." if more else ".")
    ]
    for title, names in (("New columns", found.added), ("Gone", found.removed)):
        if names:
            lines.append(f"{title}: {words.plain(words.listing(names, 12))}.")
    lines += [
        f"{words.plain(name)} was {before} and is {now}." for name, (before, now) in found.retyped.items()
    ]
    changed = len(found.values.drifted)
    columns = "column differs" if changed == 1 else "columns differ"
    lines.append(
        f"The values of {changed} {columns} by more than chance explains."
        if changed
        else "No values have drifted."
    )
    st.markdown("  \n".join(lines))


def frame(columns: Sequence[ColumnDrift]) -> pl.DataFrame:
    return pl.DataFrame([_line(column) for column in columns], schema=SCHEMA)


def _line(column: ColumnDrift) -> dict[str, Any]:
    mark = {Severity.WARNING: "▲ ", Severity.NOTE: "△ "}.get(column.severity or Severity.ERROR, "")
    return {
        "column": column.column,
        "noticed": mark + column.message if column.message else "",
        "psi": column.psi,
        "jensen_shannon": column.jensen_shannon,
        "before": list(column.before) or None,
        "now": list(column.now) or None,
        "missing_before": 100 * column.missing_before,
        "missing_now": 100 * column.missing_now,
    }


def _config() -> dict[str, Any]:
    config = st.column_config
    return {
        "column": config.TextColumn("Column", pinned=True, width="medium"),
        "noticed": config.TextColumn("Noticed", width="large"),
        "psi": config.NumberColumn(
            "PSI",
            format="%.3f",
            width=70,
            help="Population stability index: over 0.1 shifted, over 0.25 much.",
        ),
        "jensen_shannon": config.NumberColumn(
            "JS", format="%.3f", width=70, help="Jensen-Shannon divergence in bits, from 0 (alike) to 1."
        ),
        "before": config.BarChartColumn(
            "Before", width=100, y_min=0, help="Shares of the same bins or words."
        ),
        "now": config.BarChartColumn("Now", width=100, y_min=0),
        "missing_before": config.NumberColumn("Missing before", format="%.1f %%", width=110),
        "missing_now": config.NumberColumn("Missing now", format="%.1f %%", width=100),
    }
