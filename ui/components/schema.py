"""The columns of a dataset as a table: what each holds and what it is for."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.errors import DataError
from flowml.storage.records import Column, ColumnProfile, Dataset, Profile, Role
from flowml.ui import session, words
from flowml.ui.charts.columns import distribution, spread
from flowml.ui.components import chart, relations, selection
from flowml.ui.components.faults import box

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
    return pl.DataFrame([_line(column, dataset) for column in dataset.schema.columns], schema=SCHEMA)


def _line(column: Column, dataset: Dataset) -> dict[str, Any]:
    rows, said = dataset.schema.rows, dataset.roles.get(column.name)
    return {
        "column": words.middle(column.name, relations.NAME),
        "role": ROLE_WORDS[said or column.role],
        "missing": 100 * column.missing / rows if rows else 0.0,
        "unique": column.unique,
        "shape": list(column.histogram or column.top_counts) or None,
        "range": range_of(column),
        "typical": words.number(column.median) if column.median is not None else "".join(column.top[:1]),
        "type": column.type,
        "reason": f"you said so; {column.reason}" if said else column.reason,
    }


def range_of(column: Column) -> str:
    if column.minimum is None or column.maximum is None:
        return ""
    return f"{edge(column.minimum)} … {edge(column.maximum)}"


def edge(value: float | str) -> str:
    return words.number(value) if isinstance(value, int | float) else str(value)[:10]


def show(dataset: Dataset) -> None:
    """The table, below it the values of the column that is selected in it, and which columns go together."""
    chosen = selection.table(
        frame(dataset),
        key=f"columns-{dataset.id}",
        column_config=_config(),
        alt=f"The {len(dataset.schema.columns)} columns of {dataset.name}",
    )
    place = st.container()
    if dataset.deleted:
        _values(place, dataset, None, chosen)
        return
    try:
        with st.spinner("Measuring the columns…"):
            profile = session.client().profile(dataset.id)
    except DataError as error:
        _values(place, dataset, None, chosen)
        box(error)
        return
    _values(place, dataset, profile, chosen)
    relations.show(profile)


def _values(place: DeltaGenerator, dataset: Dataset, profile: Profile | None, chosen: int | None) -> None:
    """Of the chosen column: as measured, or as they were counted when the file was read."""
    if chosen is None:
        place.caption("Click a row to see the values of that column.")
        return
    column = dataset.schema.columns[chosen]
    measured = (
        next((each for each in profile.columns if each.column == column.name), None) if profile else None
    )
    figure = (spread(measured) if measured else None) or distribution(column, dataset.schema.rows)
    with place.container(border=True):
        if figure is None:
            st.caption(f"No statistics of values are kept for {words.plain(column.name)}.")
        else:
            chart.show(figure, f"column-{dataset.id}")
        if measured:
            st.caption(words.plain(figures_of(measured, dataset.rows)))


def figures_of(column: ColumnProfile, rows: int) -> str:
    """What was counted and measured, in one line."""
    known = rows - column.missing
    about = "" if column.exact else "about "
    parts = [f"{about}{words.plural(column.distinct, 'distinct value')} in {words.count(known)} rows"]
    if column.mean is not None:
        parts.append(f"mean {words.number(column.mean)} ± {words.number(column.std)}")
    quantiles = column.quantiles
    if quantiles and column.kind == "number":
        parts.append(f"middle half {words.number(quantiles['0.25'])} to {words.number(quantiles['0.75'])}")
        parts.append(f"5 to 95 %: {words.number(quantiles['0.05'])} to {words.number(quantiles['0.95'])}")
    if column.zeros:
        parts.append(f"{words.percent(column.zeros / max(1, known))} zeros")
    if column.negative:
        parts.append(f"{words.percent(column.negative / max(1, known))} negative")
    if column.length_mean is not None:
        lengths = f"{column.length_least} to {column.length_most}"
        parts.append(f"{lengths} characters, {words.number(round(column.length_mean, 1))} on average")
    return " · ".join(parts)


def _config() -> dict[str, Any]:
    config = st.column_config
    return {
        "column": config.TextColumn("Column", pinned=True, width="medium"),
        "role": config.TextColumn("Role", width=90, help="What the column is used for in training."),
        "missing": config.ProgressColumn(
            "Missing", format="%.1f %%", min_value=0.0, max_value=100.0, width=100
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
