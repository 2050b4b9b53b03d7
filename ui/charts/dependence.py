"""How the answer follows one column: the mean over rows, and the lines of single rows."""

from __future__ import annotations

from typing import Any

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.charts.figure import LEGEND_ABOVE, Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import MUTED, PRIMARY, colour


def dependence(told: Json, answer: str) -> Chart:
    """Of what `automl.dependence` gives; `answer` names what is predicted, with its unit."""
    names = told["kind"] in ("category", "boolean")
    curves = told["curves"]
    across = names_axis(label(told["column"]), [_value(v) for v in told["grid"]], 18) if names else None
    x = [_value(v) if names else v for v in told["grid"]]
    return Chart(
        title=f"How the answer follows {words.short(told['column'], 40)}",
        note="The thick line is the mean over rows whose other columns stay as they are"
        + ("; each thin one is a row." if len(curves) == 1 else "."),
        alt=_in_words(told, answer),
        traces=(*_lines(told, x), *_means(curves, x, names)),
        layout=layout(
            across or axis(label(told["column"])),
            axis(answer, range=_reach(told)),
            showlegend=len(curves) > 1,
            legend=LEGEND_ABOVE,
            margin={"l": 56, "r": 12, "t": 30 if len(curves) > 1 else 8, "b": 44},
        ),
        height=360,
        table={
            "columns": [told["column"], "share of rows",
                        *(f"{name} of {curve['label']}" for curve in curves for name in ("mean", "spread"))],
            "rows": [
                [_value(value), told["share"][i],
                 *(curve[name][i] for curve in curves for name in ("mean", "spread"))]
                for i, value in enumerate(told["grid"])
            ],
        },
    )  # fmt: skip


def _reach(told: Json) -> list[float] | None:
    """A frame around an answer that never moves, whose axis would have no ticks that can be read."""
    means = [value for curve in told["curves"] for value in curve["mean"]]
    drawn = [*means, *(value for line in told["lines"] for value in line)]
    low, high = min(drawn), max(drawn)
    size = max(abs(low), abs(high), 1e-9)
    return [low - 0.1 * size, high + 0.1 * size] if high - low < 1e-6 * size else None


def _lines(told: Json, x: list[Any]) -> list[Json]:
    if len(told["curves"]) > 1:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [label(value, 10_000) if isinstance(value, str) else value for value in x],
            "y": line,
            "line": {"color": MUTED, "width": 1},
            "opacity": 0.35,
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for line in told["lines"]
    ]


def _means(curves: list[Json], x: list[Any], names: bool) -> list[Json]:
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": label(curve["label"], 24),
            "x": [label(value, 10_000) if isinstance(value, str) else value for value in x],
            "y": curve["mean"],
            "customdata": curve["spread"],
            "line": {"color": PRIMARY if len(curves) == 1 else colour(place), "width": 3},
            "marker": {"size": 8 if names else 5, "color": PRIMARY if len(curves) == 1 else colour(place)},
            "hovertemplate": "%{x}: %{y:.4~g} ± %{customdata:.2~g}",
        }
        for place, curve in enumerate(curves)
    ]


def _value(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _in_words(told: Json, answer: str) -> str:
    parts = []
    for curve in told["curves"][:3]:
        low, high = min(curve["mean"]), max(curve["mean"])
        at_low, at_high = (told["grid"][curve["mean"].index(edge)] for edge in (low, high))
        parts.append(
            f"{curve['label']}: from {words.number(low)} at {_value(at_low)} to {words.number(high)} at "
            f"{_value(at_high)}"
        )
    return f"{answer} by {told['column']}. " + "; ".join(parts) + "."
