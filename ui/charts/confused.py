"""The pairs of classes that are taken for each other most."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import PRIMARY

SHOWN = 15


def pairs(told: Sequence[Json]) -> Chart | None:
    """Bars, the most frequent mistake on top; None where there was none."""
    if not told:
        return None
    shown = list(told[:SHOWN])[::-1]
    names = [_name(pair) for pair in shown]
    return Chart(
        title="What is taken for what, most often",
        note=f"The {len(shown)} most frequent mistakes.",
        alt="Most frequent mistakes: "
        + words.listing([f"{pair['actual']} taken for {pair['predicted']}, {pair['rows']:,} times"
                         for pair in told[:3]])
        + ".",
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "x": [pair["rows"] for pair in shown],
                "y": [label(name, 10_000) for name in names],
                "customdata": [[pair["share"]] for pair in shown],
                "hovertemplate": "%{y}<br>%{x:,} rows, %{customdata[0]:.0%} of the actual class"
                "<extra></extra>",
                "marker": {"color": PRIMARY},
            },
        ),
        layout=layout(axis("Rows"), names_axis("Actual → predicted", names, 44), bargap=0.3),
        height=100 + 26 * len(shown),
        table={
            "columns": ["actual", "predicted", "rows", "share of the actual class"],
            "rows": [[pair["actual"], pair["predicted"], pair["rows"], pair["share"]] for pair in told],
        },
    )  # fmt: skip


def _name(pair: Json) -> str:
    """Each side isolated, so that the arrow points the same way beside names read from the right."""
    sides = (f"\u2068{words.short(pair[side], 20)}\u2069" for side in ("actual", "predicted"))
    return " → ".join(sides)
