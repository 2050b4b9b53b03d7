"""How rows differ from those of a training, or of another version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from flowml.storage.records import ColumnDrift, DriftSummary, Severity
from flowml.ui import words

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


MOST_LINES = 11  # of a table that does not scroll


def told(drift: DriftSummary) -> None:
    """From the training: in a line, and the columns that differ."""
    st.markdown(_line_of(drift))
    if drift.drifted:
        table(drift.drifted, "Columns whose values differ from those of the training")


def _line_of(drift: DriftSummary) -> str:
    changed, rows = len(drift.drifted), words.plural(drift.rows, "row")
    if changed:
        columns = words.plural(changed, "column differs", "columns differ")
        said = f":orange[:material/warning:] {rows} compared with the training: {columns} from it."
    elif drift.absent:
        said = (
            f":orange[:material/warning:] {rows} compared with the training: what they hold is spread alike."
        )
    else:
        said = f":green[:material/check_circle:] {rows} compared with the training: they are spread alike."
    absent = f" Not in this file: {words.plain(words.listing(drift.absent, 12))}." if drift.absent else ""
    return said + absent


def table(columns: Sequence[ColumnDrift], alt: str) -> None:
    """Shares of missing values are shown where some are missing."""
    shown = frame(columns)
    if not any(column.missing_before or column.missing_now for column in columns):
        shown = shown.drop("missing_before", "missing_now")
    st.dataframe(
        shown,
        hide_index=True,
        column_config=_config(),
        height="content" if len(columns) <= MOST_LINES else 420,
        placeholder="–",
        alt=alt,
    )


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
        "column": config.TextColumn("Column", pinned=True, width=120),
        "noticed": config.TextColumn("Noticed", width=455),
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
            "Before", width=90, y_min=0, help="Shares of the same bins or words."
        ),
        "now": config.BarChartColumn("Now", width=90, y_min=0),
        "missing_before": config.NumberColumn("Missing before", format="%.1f %%", width=110),
        "missing_now": config.NumberColumn("Missing now", format="%.1f %%", width=100),
    }
