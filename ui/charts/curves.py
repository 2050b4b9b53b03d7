"""How well the probabilities rank and how far they can be trusted, one line a class."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.charts.figure import LEGEND_ABOVE, Chart, axis, label, layout
from flowml.ui.charts.palette import MUTED, colour

UNIT = [-0.01, 1.01]


def roc(curves: Sequence[Json]) -> Chart:
    return Chart(
        title="ROC: true against false alarms",
        alt=f"ROC curves. Area under the curve: {_areas(curves, 'roc')}.",
        traces=(_diagonal("chance"), *(_line(curve, i, "roc", "area") for i, curve in enumerate(curves))),
        layout=_square(curves, "False positive rate", "True positive rate"),
        height=340,
    )


def precision_recall(curves: Sequence[Json]) -> Chart:
    return Chart(
        title="Precision and recall",
        alt=f"Precision against recall. Average precision: {_areas(curves, 'precision_recall')}.",
        traces=tuple(_line(curve, i, "precision_recall", "AP") for i, curve in enumerate(curves)),
        layout=_square(curves, "Recall", "Precision"),
        height=340,
    )


def calibration(curves: Sequence[Json]) -> Chart:
    """Points on the diagonal: of the rows that are given 70 %, 70 % are so."""
    return Chart(
        title="Calibration: can the probabilities be trusted?",
        note="On the diagonal, a predicted 70 % comes true in 70 % of the rows.",
        alt=f"Observed against predicted probability for {words.listing([str(c['label']) for c in curves])}.",
        traces=(
            _diagonal("exact"),
            *(_points(curve, i) for i, curve in enumerate(curves)),
        ),
        layout=_square(curves, "Predicted probability", "Observed share"),
        height=340,
        more=("rows",),
    )


def _areas(curves: Sequence[Json], kind: str) -> str:
    return words.listing([f"{curve['label']} {words.score(curve[kind]['area'])}" for curve in curves])


def _line(curve: Json, place: int, kind: str, area: str) -> Json:
    told = curve[kind]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{label(curve['label'], 24)} ({area} {words.score(told['area'])})",
        "x": told["x"],
        "y": told["y"],
        "line": {"color": colour(place), "width": 2},
        "hovertemplate": "%{x:.3f}, %{y:.3f}",
    }


def _points(curve: Json, place: int) -> Json:
    told = curve["calibration"]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": label(curve["label"], 24),
        "x": told["predicted"],
        "y": told["observed"],
        "customdata": told["count"],
        "line": {"color": colour(place), "width": 1.5},
        "marker": {"size": 7, "color": colour(place)},
        "hovertemplate": "predicted %{x:.0%}<br>observed %{y:.0%}<br>%{customdata:,} rows",
    }


def _diagonal(name: str) -> Json:
    line = {"color": MUTED, "width": 1, "dash": "dot"}
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": [0, 1], "y": [0, 1], "line": line,
        "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def _square(curves: Sequence[Json], x: str, y: str) -> Json:
    return layout(
        axis(x, range=UNIT),
        axis(y, range=UNIT),
        showlegend=bool(curves),
        legend=LEGEND_ABOVE,
        margin={"l": 52, "r": 12, "t": 30, "b": 42},
    )
