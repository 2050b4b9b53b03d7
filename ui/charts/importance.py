"""What the model looks at."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.storage.records import Importance
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import PRIMARY, TEXT

SHOWN = 20


def importance(importances: Sequence[Importance], metric: str) -> Chart:
    """Horizontal bars, the most important on top, with the spread over shuffles."""
    top = sorted(importances, key=lambda i: i.mean, reverse=True)[:SHOWN]
    bars = top[::-1]
    left_out = len(importances) - len(top)
    return Chart(
        title="What the champion looks at",
        note=f"The {SHOWN} strongest of {words.plural(len(importances), 'column')}." if left_out else "",
        alt=_in_words(top, metric),
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "x": [i.mean for i in bars],
                "y": [label(i.column, 10_000) for i in bars],
                "error_x": {
                    "type": "data",
                    "array": [i.std for i in bars],
                    "color": TEXT,
                    "thickness": 1.2,
                    "width": 3,
                },
                "marker": {"color": PRIMARY},
                "hovertemplate": "%{y}<br>%{x:.5~g} ± %{error_x.array:.2~g}<extra></extra>",
            },
        ),
        layout=layout(
            axis(f"Loss of {metric} when the column is shuffled"),
            names_axis("Column", [i.column for i in bars]),
            bargap=0.35,
        ),
        height=110 + 24 * len(bars),
    )


def _in_words(top: Sequence[Importance], metric: str) -> str:
    if not top:
        return "No column matters to this model."
    named = words.listing([f"{i.column} ({words.score(i.mean)})" for i in top[:3]])
    return f"The score ({metric}) falls most when these columns are shuffled: {named}."
