"""Parallel coordinates: each trial a line through its params to its score."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flowml.storage.records import Json, TrialRecord
from flowml.ui import words
from flowml.ui.charts.figure import LEGEND_ABOVE, Chart, axis, label, layout
from flowml.ui.charts.palette import GRID, MUTED, PRIMARY

BEST = 0.1  # of the trials are drawn as the best
LINES = 240  # an SVG chart stays quick up to here
AXES = 9
WIDE = 50.0  # numbers that spread further stand by their logarithm
SHOWN = 6  # categories named on an axis


@dataclass(frozen=True)
class Scale:
    """One axis: where a value stands on it, 0 at the bottom to 1, and what is written beside it."""

    name: str
    place: Callable[[Any], float]
    ticks: tuple[tuple[float, str], ...]


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def by_logarithm(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) > WIDE


def parallel(trials: Sequence[TrialRecord], params: Sequence[str], direction: str, metric: str) -> Chart:
    """Of complete trials of one algorithm, over params that differ."""
    ranked = sorted(trials, key=lambda t: t.score or 0.0, reverse=direction == "maximize")
    best = ranked[: max(1, round(BEST * len(ranked)))]
    others = ranked[len(best) :]
    step = max(1, -(-len(others) // LINES))
    scales = [scale(name, [t.params[name] for t in trials]) for name in params[:AXES]]
    scales.append(scale(metric, [t.score for t in trials]))
    left_out = len(params) - len(params[:AXES])
    drawn = len(best[:LINES]) + len(others[::step])
    return Chart(
        title="Params of each trial, and its score",
        note=" ".join(
            part
            for part in (
                f"{drawn} of {len(trials)} trials are drawn." if drawn < len(trials) else "",
                f"{words.plural(left_out, 'param')} left out." if left_out else "",
            )
            if part
        ),
        alt=f"Parallel coordinates of {words.plural(len(trials), 'trial')} over "
        f"{words.listing([each.name for each in scales], 12)}. " + _in_words(best, params),
        traces=(
            _lines("Other trials", others[::step], scales, MUTED, 0.35, metric),
            _lines(f"Best {words.plural(len(best), 'trial')}", best[:LINES], scales, PRIMARY, 0.9, metric),
        ),
        layout=layout(
            axis(
                "Params, and the score on the right",
                tickvals=list(range(len(scales))),
                ticktext=[label(each.name, 18) for each in scales],
                range=[-0.25, len(scales) - 0.6],
                showgrid=False,
                side="top",
            ),
            axis(
                "Place between lowest and highest", range=[-0.06, 1.06], showticklabels=False, showgrid=False
            ),
            shapes=[_upright(i) for i in range(len(scales))],
            annotations=[_tick(i, *tick) for i, each in enumerate(scales) for tick in each.ticks],
            showlegend=True,
            legend={**LEGEND_ABOVE, "y": -0.02, "yanchor": "top"},
            margin={"l": 40, "r": 40, "t": 60, "b": 40},
        ),
        height=420,
        table={
            "columns": ["trial", *params, metric],
            "rows": [[t.number, *(t.params[name] for name in params), t.score] for t in ranked],
        },
    )


def scale(name: str, values: Sequence[Any]) -> Scale:
    if all(is_number(value) for value in values):
        return _of_numbers(name, values)
    kinds = sorted({str(value) for value in values})
    places = {kind: i / max(1, len(kinds) - 1) for i, kind in enumerate(kinds)}
    named = kinds if len(kinds) <= SHOWN else [kinds[0], kinds[-1]]
    ticks = tuple((places[kind], words.short(kind, 14)) for kind in named)
    return Scale(name, lambda value: places[str(value)], ticks)


def _of_numbers(name: str, values: Sequence[float]) -> Scale:
    low, high = min(values), max(values)
    turned = math.log if by_logarithm(values) else float
    span = turned(high) - turned(low) or 1.0

    def place(value: float) -> float:
        return (turned(value) - turned(low)) / span

    ends = ((0.0, words.number(low)),) + (((1.0, words.number(high)),) if high > low else ())
    return Scale(name, place, ends)


def _lines(
    name: str, trials: Sequence[TrialRecord], scales: Sequence[Scale], shade: str, opacity: float, metric: str
) -> Json:
    """All of them as one trace, with a gap between two."""
    x: list[float | None] = []
    y: list[float | None] = []
    told: list[str] = []
    for trial in trials:
        values = [*(trial.params[each.name] for each in scales[:-1]), trial.score]
        x += [*range(len(scales)), None]
        y += [*(round(each.place(value), 4) for each, value in zip(scales, values, strict=True)), None]
        head = f"trial {trial.number}, {label(metric)} {words.score(trial.score)}"
        told += [
            f"{head}<br>{label(each.name)} {label(_shown(value))}"
            for each, value in zip(scales, values, strict=True)
        ]
        told.append("")
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "text": told,
        "line": {"color": shade, "width": 1.2},
        "opacity": opacity,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _shown(value: Any) -> str:
    return words.number(value) if is_number(value) else str(value)


def _upright(place: int) -> Json:
    line = {"color": GRID, "width": 1}
    return {"type": "line", "x0": place, "x1": place, "y0": -0.02, "y1": 1.02, "line": line, "layer": "below"}


def _tick(place: int, height: float, text: str) -> Json:
    return {
        "x": place,
        "y": height,
        "text": label(text),
        "showarrow": False,
        "xanchor": "left",
        "xshift": 4,
        "font": {"size": 10, "color": MUTED},
    }


def _in_words(best: Sequence[TrialRecord], params: Sequence[str]) -> str:
    first = best[0].params
    told = [f"{name} {_shown(first[name])}" for name in params[:4]]
    return f"The best trial, {best[0].number}, has {words.listing(told, 4)}."
