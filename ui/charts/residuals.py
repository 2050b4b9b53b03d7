"""Where the numbers of a regression miss."""

from __future__ import annotations

import itertools

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout
from flowml.ui.charts.palette import MUTED, PRIMARY


def actual_and_predicted(scatter: Json, target: str) -> Chart:
    actual, predicted = scatter["actual"], scatter["predicted"]
    ends = [min([*actual, *predicted], default=0.0), max([*actual, *predicted], default=1.0)]
    return Chart(
        title="Actual and predicted",
        note="On the dotted line a prediction is exact.",
        alt=f"{words.plural(len(actual), 'row')}: predicted against actual {target}, "
        f"from {words.number(ends[0])} to {words.number(ends[1])}.",
        traces=(
            {
                "type": "scatter", "mode": "lines", "name": "exact", "x": ends, "y": ends,
                "hoverinfo": "skip", "line": {"color": MUTED, "width": 1, "dash": "dot"},
            },
            {
                "type": "scatter", "mode": "markers", "name": "row", "x": actual, "y": predicted,
                "marker": {"size": 6, "color": PRIMARY, "opacity": 0.55},
                "hovertemplate": "actual %{x:.5~g}<br>predicted %{y:.5~g}<extra></extra>",
            },
        ),
        layout=layout(axis(f"Actual {label(target)}"), axis(f"Predicted {label(target)}")),
        height=340,
    )  # fmt: skip


def by_prediction(scatter: Json, target: str) -> Chart:
    """Whether errors have a pattern: a funnel or a bend is something that the model has missed."""
    actual, predicted = scatter["actual"], scatter["predicted"]
    missed = [a - p for a, p in zip(actual, predicted, strict=True)]
    ends = [min(predicted, default=0.0), max(predicted, default=1.0)]
    return Chart(
        title="Error by prediction",
        note="Above the dotted line the model says too little; a bend or a funnel is a pattern it missed.",
        alt=f"{words.plural(len(missed), 'row')}: errors in {target} from "
        f"{words.number(min(missed, default=0.0))} to {words.number(max(missed, default=0.0))}, "
        f"by predictions from {words.number(ends[0])} to {words.number(ends[1])}.",
        traces=(
            {
                "type": "scatter", "mode": "lines", "name": "exact", "x": ends, "y": [0, 0],
                "hoverinfo": "skip", "line": {"color": MUTED, "width": 1, "dash": "dot"},
            },
            {
                "type": "scatter", "mode": "markers", "name": "row", "x": predicted, "y": missed,
                "marker": {"size": 6, "color": PRIMARY, "opacity": 0.55},
                "hovertemplate": "predicted %{x:.5~g}<br>error %{y:.5~g}<extra></extra>",
            },
        ),
        layout=layout(axis(f"Predicted {label(target)}"), axis(f"Error in {label(target)}")),
        height=340,
    )  # fmt: skip


def errors(told: Json, residuals: Json, target: str) -> Chart:
    edges, counts = told["edges"], told["counts"]
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    quantiles = residuals.get("quantiles", {})
    middle = [quantiles.get("0.25"), quantiles.get("0.75")]
    return Chart(
        title="Errors (actual less predicted)",
        note=f"Half of them lie between {words.number(middle[0])} and {words.number(middle[1])}.",
        alt=f"Histogram of errors in {target}: mean {words.number(residuals['mean'])}, "
        f"mean absolute error {words.number(residuals['mae'])}, RMSE {words.number(residuals['rmse'])}.",
        traces=(
            {
                "type": "bar",
                "x": middles,
                "y": counts,
                "width": [high - low for low, high in itertools.pairwise(edges)],
                "customdata": [list(pair) for pair in itertools.pairwise(edges)],
                "marker": {"color": PRIMARY},
                "hovertemplate": "about %{x:.4~g}<br>%{y:,} rows<extra></extra>",
            },
        ),
        layout=layout(axis(f"Error in {label(target)}"), axis("Rows"), bargap=0.06),
        height=340,
        more=("from", "to"),
    )
