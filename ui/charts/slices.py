"""One param against the score, and which params matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowml.storage.records import TrialRecord
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout, names_axis
from flowml.ui.charts.history import focus, thin
from flowml.ui.charts.palette import PRIMARY, algorithm_colour
from flowml.ui.charts.parallel import by_logarithm, is_number

POINTS = 600
KINDS = 30  # of words on an axis


def differing(trials: Sequence[TrialRecord]) -> list[str]:
    """Params that all of these trials have and that are not the same in all."""
    first = trials[0].params if trials else {}
    shared = [name for name in first if all(name in t.params for t in trials)]
    return [name for name in shared if len({repr(t.params[name]) for t in trials}) > 1]


def slice_of(trials: Sequence[TrialRecord], param: str, direction: str, metric: str) -> Chart:
    """Of complete trials of one algorithm."""
    shown = thin(trials, direction, POINTS)
    values = [t.params[param] for t in trials]
    numbers = all(is_number(value) for value in values)
    logarithm = numbers and by_logarithm(values)
    low, high = focus([t.score for t in trials if t.score is not None], direction)
    across = axis(
        label(param) + (" (logarithmic)" if logarithm else ""), type="log" if logarithm else "linear"
    )
    if not numbers:
        across = names_axis(label(param), sorted({str(value) for value in values})[:KINDS], 16)
    best = (max if direction == "maximize" else min)(trials, key=lambda t: t.score or 0.0)
    told = words.number(best.params[param]) if numbers else str(best.params[param])
    return Chart(
        title=f"{words.short(param, 40)} and the score",
        alt=f"{metric} of {words.plural(len(trials), 'trial')} by {param}; the best one has {told}.",
        traces=(
            {
                "type": "scatter",
                "mode": "markers",
                "name": label(param),
                "x": [t.params[param] if numbers else label(t.params[param], 10_000) for t in shown],
                "y": [t.score for t in shown],
                "customdata": [[t.number] for t in shown],
                "marker": {"size": 7, "color": algorithm_colour(best.algorithm), "opacity": 0.7},
                "hovertemplate": f"trial %{{customdata[0]}}<br>{label(param)} %{{x}}<br>"
                f"{label(metric)} %{{y:.5~g}}<extra></extra>",
            },
        ),
        layout=layout(across, axis(metric, range=[low, high])),
        height=260,
        table={
            "columns": ["trial", param, metric],
            "rows": [[t.number, t.params[param], t.score] for t in trials],
        },
    )


def importance(shares: Mapping[str, float], algorithm: str, trials: int) -> Chart:
    """Which params decide whether a trial is among the best."""
    bars = list(shares.items())[::-1]
    top = [f"{name} ({words.percent(share)})" for name, share in list(shares.items())[:3]]
    return Chart(
        title=f"Which params of {algorithm} matter",
        note=f"How much each decides whether a trial is among the best of {trials} (PED-ANOVA).",
        alt=f"The params that matter most: {words.listing(top)}.",
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "x": [round(100 * share, 2) for _, share in bars],
                "y": [label(name, 10_000) for name, _ in bars],
                "marker": {"color": PRIMARY},
                "hovertemplate": "%{y}: %{x:.1f} %<extra></extra>",
            },
        ),
        layout=layout(
            axis("Importance (%)", rangemode="tozero"),
            names_axis("Param", [name for name, _ in bars]),
            bargap=0.35,
        ),
        height=100 + 26 * len(bars),
    )
