"""What is won by looking at the likeliest rows first: gain and lift."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.charts.curves import UNIT
from flowml.ui.charts.figure import LEGEND_ABOVE, Chart, axis, label, layout
from flowml.ui.charts.palette import MUTED, colour

TENTH = 0.1


def gain(curves: Sequence[Json]) -> Chart:
    """The share of a class found among the likeliest rows."""
    lines = [(str(curve["label"]), *_found(curve["decisions"])) for curve in curves]
    return Chart(
        title="Gain: how much is found by looking at few rows",
        note="Rows are sorted by their probability; chance lies on the dotted line.",
        alt="Among the likeliest tenth of the rows stand "
        + words.listing([f"{words.percent(_at(x, y))} of {name}" for name, x, y in lines])
        + ".",
        traces=(
            _chance([0, 1], [0, 1]),
            *(_line(name, i, x, y, "%{y:.1%} found") for i, (name, x, y) in enumerate(lines)),
        ),
        layout=_layout(
            axis("Share of the class found", range=UNIT, tickformat=".0%"), several=len(lines) > 1
        ),
        height=340,
    )


def lift(curves: Sequence[Json]) -> Chart:
    """How many times more of a class stand among the likeliest rows than among all."""
    lines = []
    for curve in curves:
        x, y = _found(curve["decisions"])
        lines.append((str(curve["label"]), x[1:], [b / a for a, b in zip(x[1:], y[1:], strict=True)]))
    return Chart(
        title="Lift: how many times better than chance",
        note="At 10 % of the rows, a lift of 3 finds three times as many as a random tenth.",
        alt="Lift among the likeliest tenth of the rows: "
        + words.listing([f"{name} {_at(x, y):.1f} times" for name, x, y in lines])
        + ".",
        traces=(
            _chance([0, 1], [1, 1]),
            *(_line(name, i, x, y, "%{y:.2f} times") for i, (name, x, y) in enumerate(lines)),
        ),
        layout=_layout(axis("Times better than chance", rangemode="tozero"), several=len(lines) > 1),
        height=340,
    )


def _found(decisions: Json) -> tuple[list[float], list[float]]:
    """Share of all rows that are looked at, and share of the class among them."""
    of, rest = decisions["of"], decisions["rest"]
    looked = [(h + a) / (of + rest) for h, a in zip(decisions["hits"], decisions["alarms"], strict=True)]
    return [0.0, *looked], [0.0, *(hits / of for hits in decisions["hits"])]


def _at(x: Sequence[float], y: Sequence[float], share: float = TENTH) -> float:
    """Between the points on both sides."""
    after = next((i for i, place in enumerate(x) if place >= share), len(x) - 1)
    if after == 0 or x[after] == x[after - 1]:
        return y[after]
    part = (share - x[after - 1]) / (x[after] - x[after - 1])
    return y[after - 1] + min(1.0, part) * (y[after] - y[after - 1])


def _line(name: str, place: int, x: Sequence[float], y: Sequence[float], told: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(name, 24),
        "x": [round(value, 5) for value in x],
        "y": [round(value, 5) for value in y],
        "line": {"color": colour(place), "width": 2},
        "hovertemplate": "%{x:.1%} of the rows<br>" + told,
    }


def _chance(x: list[float], y: list[float]) -> Json:
    line = {"color": MUTED, "width": 1, "dash": "dot"}
    return {
        "type": "scatter", "mode": "lines", "name": "chance", "x": x, "y": y, "line": line,
        "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip


def _layout(y: Json, *, several: bool) -> Json:
    return layout(
        axis("Share of the rows, likeliest first", range=UNIT, tickformat=".0%"),
        y,
        showlegend=several,
        legend=LEGEND_ABOVE,
        margin={"l": 52, "r": 12, "t": 30 if several else 8, "b": 42},
    )
