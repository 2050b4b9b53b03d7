"""What a threshold costs, once a false alarm and a miss have a price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout
from flowml.ui.charts.palette import MUTED, PRIMARY, TEXT, colour

NEVER = 1.0001  # above every probability: nothing is taken for the class


@dataclass(frozen=True)
class Choice:
    """One threshold and what comes of it, in rows."""

    threshold: float
    hits: int  # of the class, and taken for it
    alarms: int  # not of the class, but taken for it
    misses: int  # of the class, but not taken for it
    passed: int  # neither
    cost: float

    @property
    def rows(self) -> int:
        return self.hits + self.alarms + self.misses + self.passed


def choices(decisions: Json, alarm: float, miss: float) -> list[Choice]:
    """From the lowest threshold to one that nothing passes."""
    of, rest = int(decisions["of"]), int(decisions["rest"])
    told = zip(decisions["threshold"], decisions["hits"], decisions["alarms"], strict=True)
    found = [(NEVER, 0, 0), *told][::-1]
    return [
        Choice(threshold, hits, alarms, of - hits, rest - alarms, alarms * alarm + (of - hits) * miss)
        for threshold, hits, alarms in found
    ]


def cheapest(known: Sequence[Choice]) -> Choice:
    """Of several that cost the same, the one in their middle: the least luck."""
    least = min(choice.cost for choice in known)
    equal = [choice for choice in known if choice.cost <= least * (1 + 1e-12)]
    return equal[len(equal) // 2]


def at(known: Sequence[Choice], threshold: float) -> Choice:
    """What such a threshold does: the same as the next lower one that is told."""
    lower = [choice for choice in known if choice.threshold <= threshold + 1e-9]
    return lower[-1] if lower else known[0]


def cost_curve(known: Sequence[Choice], chosen: Choice, best: Choice, now: float, name: str) -> Chart:
    shown = [choice for choice in known if choice.threshold <= 1]
    return Chart(
        title="Cost by threshold",
        note="Counted over all rows, each judged by models that have not seen it.",
        alt=f"The cost is least, {words.number(best.cost)}, at a threshold of {best.threshold:.3f}; "
        f"at {chosen.threshold:.3f} it is {words.number(chosen.cost)}.",
        traces=(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "Cost",
                "x": [choice.threshold for choice in shown],
                "y": [choice.cost for choice in shown],
                "customdata": [[choice.alarms, choice.misses] for choice in shown],
                "line": {"color": PRIMARY, "width": 2, "shape": "hv"},
                "hovertemplate": "from %{x:.3f}: cost %{y:,.6~g}<br>%{customdata[0]:,} false alarms, "
                "%{customdata[1]:,} missed<extra></extra>",
            },
            _mark("Least", best, colour(1), "diamond"),
            _mark("Yours", chosen, TEXT, "circle"),
        ),
        layout=layout(
            axis(
                f"Threshold: probability of {label(name)} from which it is taken for it", range=[-0.01, 1.01]
            ),
            axis("Cost (in your unit)", rangemode="tozero"),
            shapes=[_line_at(now)],
            annotations=[_word_at(now)],
            margin={"l": 56, "r": 12, "t": 22, "b": 44},
        ),
        height=320,
        table={
            "columns": ["threshold", "hits", "false alarms", "misses", "rightly passed", "cost"],
            "rows": [[c.threshold, c.hits, c.alarms, c.misses, c.passed, c.cost] for c in known],
        },
    )


def _mark(name: str, choice: Choice, shade: str, symbol: str) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [min(choice.threshold, 1.0)],
        "y": [choice.cost],
        "marker": {"size": 11, "color": shade, "symbol": symbol},
        "hovertemplate": f"{name}: %{{x:.3f}}, cost %{{y:,.6~g}}<extra></extra>",
    }


def _line_at(place: float) -> Json:
    line = {"color": MUTED, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": place, "x1": place, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def _word_at(place: float) -> Json:
    return {
        "x": place,
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "text": "the model now",
        "showarrow": False,
        "font": {"size": 11, "color": MUTED},
    }
