"""The columns of a dataset as a table: what each holds and what it is for."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from flowml.storage.records import Column, Dataset, Role
from flowml.ui import words
from flowml.ui.charts.columns import distribution
from flowml.ui.components import chart, selection

ROLE_WORDS: dict[Role, str] = {
    Role.NUMERIC: "number",
    Role.BOOLEAN: "yes/no",
    Role.CATEGORICAL: "category",
    Role.DATETIME: "date",
    Role.TEXT: "text",
    Role.IDENTIFIER: "identifier",
    Role.CONSTANT: "constant",
    Role.IGNORED: "ignored",
    Role.TARGET: "target",
    Role.GROUP: "group",
    Role.TIME: "time",
    Role.WEIGHT: "weight",
}

SCHEMA: dict[str, Any] = {
    "column": pl.String,
    "role": pl.String,
    "missing": pl.Float64,
    "unique": pl.Int64,
    "shape": pl.List(pl.Int64),
    "range": pl.String,
    "typical": pl.String,
    "type": pl.String,
    "reason": pl.String,
}


def frame(dataset: Dataset) -> pl.DataFrame:
    rows = dataset.schema.rows
    return pl.DataFrame([_line(column, rows) for column in dataset.schema.columns], schema=SCHEMA)


def _line(column: Column, rows: int) -> dict[str, Any]:
    return {
        "column": column.name,
        "role": ROLE_WORDS[column.role],
        "missing": 100 * column.missing / rows if rows else 0.0,
        "unique": column.unique,
        "shape": list(column.histogram or column.top_counts) or None,
        "range": _range(column),
        "typical": words.number(column.median) if column.median is not None else "".join(column.top[:1]),
        "type": column.type,
        "reason": column.reason,
    }


def _range(column: Column) -> str:
    if column.minimum is None or column.maximum is None:
        return ""
    return f"{_edge(column.minimum)} … {_edge(column.maximum)}"


def _edge(value: float | str) -> str:
    return words.number(value) if isinstance(value, int | float) else str(value)[:10]


def show(dataset: Dataset) -> None:
    """The table, and below it the values of the column that is selected in it."""
    chosen = selection.table(
        frame(dataset),
        key=f"columns-{dataset.id}",
        column_config=_config(),
        alt=f"The {len(dataset.schema.columns)} columns of {dataset.name}",
    )
    if chosen is None:
        st.caption("Click a row to see the values of that column.")
        return
    column = dataset.schema.columns[chosen]
    figure = distribution(column, dataset.schema.rows)
    with st.container(border=True):
        if figure is None:
            st.caption(f"No statistics of values are kept for {words.plain(column.name)}.")
        else:
            chart.show(figure, f"column-{dataset.id}")


def _config() -> dict[str, Any]:
    config = st.column_config
    return {
        "column": config.TextColumn("Column", pinned=True, width="medium"),
        "role": config.TextColumn("Role", width=90, help="What the column is used for in training."),
        "missing": config.ProgressColumn(
            "Missing", format="%.0f %%", min_value=0.0, max_value=100.0, width=100
        ),
        "unique": config.NumberColumn("Unique", format="localized", width=75),
        "shape": config.BarChartColumn(
            "Values", width=90, y_min=0, help="Histogram, or the most frequent values."
        ),
        "range": config.TextColumn("Range", width=170),
        "typical": config.TextColumn("Typical", width=130, help="The median, or the most frequent value."),
        "type": config.TextColumn("Type", width=80),
        "reason": config.TextColumn("Why this role", width="large"),
    }
