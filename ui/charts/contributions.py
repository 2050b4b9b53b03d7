"""What each column adds to the raw score of the strongest tree model, row by row, as its library counts."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import MUTED, PRIMARY, TEXT, colour

SHOWN = 20


def strengths(told: Json) -> Chart:
    """Bars of the mean size of the contributions, with their spread over folds."""
    bars = told["columns"][:SHOWN][::-1]
    top = [f"{each['column']} ({words.number(each['mean'])})" for each in told["columns"][:3]]
    return Chart(
        title=f"Mean size of the SHAP values ({words.short(told['name'], 30)})",
        note="As the library of the trees counts them; whiskers: the spread over folds.",
        alt=f"Columns that move the score of {told['name']} most: {words.listing(top)}.",
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "x": [each["mean"] for each in bars],
                "y": [label(each["column"], 10_000) for each in bars],
                "error_x": {
                    "type": "data", "array": [each["std"] for each in bars],
                    "color": TEXT, "thickness": 1.2, "width": 3,
                },
                "marker": {"color": PRIMARY},
                "hovertemplate": "%{y}<br>%{x:.4~g} ± %{error_x.array:.2~g}<extra></extra>",
            },
        ),
        layout=layout(
            axis(f"Mean size of the contribution ({told['scale']})"),
            names_axis("Column", [each["column"] for each in bars]),
            bargap=0.35,
        ),
        height=110 + 24 * len(bars),
    )  # fmt: skip


def swarm(told: Json) -> Chart:
    """A point for each row and column: how far it moves the score, coloured by the value."""
    columns = told["values"][::-1]
    top = [each["column"] for each in told["values"][:3]]
    return Chart(
        title="SHAP values row by row",
        note="A point is a row. Bright: a high value of the column; grey: a low one, or a category.",
        alt=f"Contributions of {words.plural(told['rows'], 'row')} to the {told['scale']}; they reach "
        f"furthest for {words.listing(top)}.",
        traces=tuple(_points(each, place) for place, each in enumerate(columns)),
        layout=layout(
            axis(f"Contribution ({told['scale']})", zeroline=True, zerolinecolor=MUTED),
            axis(
                "Column", tickmode="array", tickvals=list(range(len(columns))),
                ticktext=[label(each["column"], 28) for each in columns],
                range=[-0.6, len(columns) - 0.4], showgrid=False,
            ),
        ),
        height=110 + 30 * len(columns),
        table={
            "columns": ["column", "value", "contribution"],
            "rows": [[each["column"], value, change] for each in told["values"]
                     for value, change in zip(each["value"], each["contribution"], strict=True)],
        },
    )  # fmt: skip


def _points(each: Json, place: int) -> Json:
    values = each["value"]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label(each["column"]),
        "x": each["contribution"],
        "y": [place + _aside(i) for i in range(len(values))],
        "text": [label("missing" if value is None else value, 40) for value in values],
        "marker": {
            "size": 6, "opacity": 0.75, "color": _heights(values), "cmin": 0, "cmax": 1,
            "colorscale": [[0, MUTED], [1, colour(0)]],
        },
        "hovertemplate": f"{label(each['column'])} = %{{text}}<br>%{{x:+.4~g}}<extra></extra>",
    }  # fmt: skip


def _heights(values: Sequence[Any]) -> list[float]:
    """Of each number its place among the others, from 0 to 1; what is no number stands at 0."""
    numbers = sorted({v for v in values if isinstance(v, int | float)})
    place = {number: i / max(1, len(numbers) - 1) for i, number in enumerate(numbers)}
    return [round(place.get(value, 0.0), 3) for value in values]


def _aside(i: int) -> float:
    """Some way off the line, the same each time, so that points do not hide each other."""
    return (zlib.crc32(str(i).encode()) % 1000 / 1000 - 0.5) * 0.6
