"""How sure a prediction is."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import GRID, PRIMARY

SHOWN = 10


def probabilities(classes: Sequence[str], values: Sequence[float], target: str) -> Chart:
    """One bar a class, the likeliest on top."""
    ranked = sorted(zip(classes, values, strict=True), key=lambda pair: pair[1], reverse=True)
    bars = ranked[:SHOWN][::-1]
    rest = len(ranked) - len(bars)
    return Chart(
        title=f"Probability of each {words.short(target, 40)}",
        note=f"The {SHOWN} likeliest of {len(ranked)} classes." if rest else "",
        alt="Likeliest: " + words.listing([f"{name} ({words.percent(value)})" for name, value in ranked[:3]]),
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "x": [value for _, value in bars],
                "y": [label(name, 10_000) for name, _ in bars],
                "text": [words.percent(value) for _, value in bars],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{y}: %{x:.4f}<extra></extra>",
                "marker": {"color": [*[GRID] * (len(bars) - 1), PRIMARY]},
            },
        ),
        layout=layout(
            axis("Probability", range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.5, 1], tickangle=0),
            names_axis(label(target), [name for name, _ in bars]),
            bargap=0.35,
        ),
        height=100 + 34 * len(bars),
    )
