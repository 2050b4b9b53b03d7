"""Why one row is answered as it is: from the base to the answer, column by column."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import MUTED, PRIMARY, TEXT, colour

SHOWN = 12
REST = "all other columns"
LEFT_TO_RIGHT = "\u200e"  # after a name that is read from the right, so that its value stands behind it


@dataclass(frozen=True)
class Step:
    """What one column adds."""

    column: str
    value: Any
    contribution: float
    error: float | None = None


def waterfall(base: float, steps: Sequence[Step], answer: str, what: str, note: str = "") -> Chart:
    """The largest steps first, the others taken together. `answer` names the axis, `what` is explained."""
    shown = _shown(steps)
    starts, at = [], base
    for step in shown:
        starts.append(at)
        at += step.contribution
    names = [_name(step) for step in shown][::-1]
    bars = list(zip(shown, starts, strict=True))[::-1]
    return Chart(
        title=f"Why {words.short(what, 50)}",
        note=note,
        alt=_in_words(base, at, shown, answer),
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "base": [start for _, start in bars],
                "x": [step.contribution for step, _ in bars],
                "y": [label(name, 10_000) for name in names],
                "marker": {"color": [PRIMARY if step.contribution >= 0 else colour(1) for step, _ in bars]},
                "text": [_signed(step.contribution) for step, _ in bars],
                "textposition": "none",
                "hovertemplate": "%{y}<br>%{text}<extra></extra>",
            },
            _mark(base, names, "start"),
            _mark(at, names, "answer"),
        ),
        layout=layout(
            axis(answer),
            names_axis("Column and its value", names, 34),
            bargap=0.3,
            margin={"l": 48, "r": 76, "t": 8, "b": 40},
            annotations=[_beside(name, step) for name, (step, _) in zip(names, bars, strict=True)],
        ),
        height=110 + 30 * len(bars),
        table={
            "columns": ["column", "value", "contribution", "standard error"],
            "rows": [["start", "", base, None],
                     *([s.column, s.value, s.contribution, s.error] for s in steps),
                     ["answer", "", base + sum(s.contribution for s in steps), None]],
        },
    )  # fmt: skip


def _shown(steps: Sequence[Step]) -> list[Step]:
    ordered = sorted(steps, key=lambda step: -abs(step.contribution))
    if len(ordered) <= SHOWN:
        return ordered
    rest = sum(step.contribution for step in ordered[SHOWN - 1 :])
    return [*ordered[: SHOWN - 1], Step(REST, None, rest)]


def _name(step: Step) -> str:
    if step.column == REST:
        return REST
    column = step.column
    if any(unicodedata.bidirectional(each) in ("R", "AL") for each in column):
        column += LEFT_TO_RIGHT
    if step.value is None:
        return f"{column}: missing"
    number = isinstance(step.value, int | float) and not isinstance(step.value, bool)
    shown = words.number(step.value) if number else words.short(step.value, 40)
    return f"{column} = {shown}"


def _signed(change: float) -> str:
    """Three significant digits; the file of the chart has all."""
    return f"{'+' if change >= 0 else '−'}{words.number(float(f'{abs(change):.3g}'))}"


def _beside(name: str, step: Step) -> Json:
    """The change in a column of its own at the right, where no bar and no line crosses it."""
    return {
        "xref": "paper", "x": 1, "xanchor": "left", "xshift": 8, "y": label(name, 10_000),
        "text": _signed(step.contribution), "showarrow": False, "font": {"size": 11, "color": TEXT},
    }  # fmt: skip


def _mark(at: float, names: Sequence[str], name: str) -> dict[str, Any]:
    """A line from top to bottom where it starts or ends."""
    ends = [label(names[0], 10_000), label(names[-1], 10_000)] if names else []
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": [at] * len(ends), "y": ends,
        "line": {"color": MUTED, "width": 1, "dash": "dot" if name == "start" else "solid"},
        "hovertemplate": f"{name}: %{{x:.5~g}}<extra></extra>",
    }  # fmt: skip


def _in_words(base: float, at: float, shown: Sequence[Step], answer: str) -> str:
    parts = [f"{_name(step)} {_signed(step.contribution)}" for step in shown[:5]]
    return (
        f"{answer}: it starts at {words.number(base)} and comes to {words.number(at)}. "
        f"The largest steps: {words.listing(parts, 5)}."
    )
