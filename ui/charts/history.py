"""The search as it went: each trial where it ended, and the best score so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from flowml.storage.records import Json, TrialRecord, TrialState
from flowml.ui import words
from flowml.ui.charts.figure import LEGEND_ABOVE, Chart, axis, label, layout
from flowml.ui.charts.palette import TEXT, algorithm_colour

BEYOND = 1.02  # of the last moment: what the axis shows, so that no point is cut
POINTS = 2000  # an SVG chart stays quick up to here; beyond, every improvement and an even part is drawn
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross")
MINUTES_FROM = 300  # budgets longer than this (s) are drawn in minutes


def history(
    trials: Sequence[TrialRecord],
    direction: str,
    metric: str,
    started_at: float,
    budget_s: float,
    labels: Mapping[str, str] | None = None,
) -> Chart:
    """Best-so-far as a step line over a scatter of trials, one colour an algorithm."""
    better = "higher" if direction == "maximize" else "lower"
    unit, second = ("minutes", 60.0) if budget_s > MINUTES_FROM else ("seconds", 1.0)
    ended = sorted(_complete(trials), key=_end)
    points = thin(ended, direction)
    moments = [round(max(0.0, _end(t) - started_at) / second, 2) for t in ended]
    low, high = focus([t.score for t in ended if t.score is not None], direction)
    outside = sum(1 for t in ended if t.score is not None and not low <= t.score <= high)
    span = max([budget_s / second, *moments])
    until = max(span, BEYOND * max(moments, default=0.0))
    return Chart(
        title=f"Score of each trial ({metric}, {better} is better)" if ended else "Score of each trial",
        alt=_in_words(ended, direction, metric),
        note=f"{words.plural(outside, 'weak trial')} outside the frame; double-click the chart to see all."
        if outside
        else ("" if ended else "Each complete trial will be a point here."),
        traces=(
            *_scatter(points, started_at, second, metric, labels or {}),
            _best_line(ended, moments, direction, span),
        ),
        layout=layout(
            axis(f"Time since the start ({unit})", range=[0, until]),
            axis(metric, range=[low, high] if high > low else None, showticklabels=bool(ended)),
            showlegend=True,
            legend=LEGEND_ABOVE,
            margin={"l": 56, "r": 12, "t": 36, "b": 44},
        ),
        height=340,
        more=("trial", "took (s)"),
    )


def best_so_far(scores: Iterable[float], direction: str) -> list[float]:
    better = max if direction == "maximize" else min
    line: list[float] = []
    for score in scores:
        line.append(better(line[-1], score) if line else score)
    return line


def thin(trials: Sequence[TrialRecord], direction: str, limit: int = POINTS) -> list[TrialRecord]:
    """All trials while they are few; then each improvement and every n-th of the others."""
    if len(trials) <= limit:
        return list(trials)
    line = best_so_far([t.score or 0.0 for t in trials], direction)
    step = len(trials) // limit + 1
    return [t for i, t in enumerate(trials) if i % step == 0 or i == 0 or line[i] != line[i - 1]]


def focus(scores: Sequence[float], direction: str) -> tuple[float, float]:
    """The range of scores worth the height: all, unless a weak few would flatten the rest."""
    if not scores:
        return 0.0, 0.0
    ordered = sorted(scores)
    low, high = ordered[0], ordered[-1]
    weak = max(1, len(ordered) // 5)
    if len(ordered) >= 5:
        if direction == "maximize" and high - ordered[weak] < 0.5 * (high - low):
            low = ordered[weak]
        elif direction != "maximize" and ordered[-1 - weak] - low < 0.5 * (high - low):
            high = ordered[-1 - weak]
    pad = (high - low) * 0.08 or abs(high) * 0.01 or 0.01
    return low - pad, high + pad


def _complete(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [t for t in trials if t.state is TrialState.COMPLETE and t.score is not None]


def _end(trial: TrialRecord) -> float:
    return trial.started_at + trial.seconds


def _scatter(
    trials: Sequence[TrialRecord], started_at: float, second: float, metric: str, labels: Mapping[str, str]
) -> list[Json]:
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": label(labels.get(key, key)),
            "x": [round(max(0.0, _end(t) - started_at) / second, 2) for t in trials if t.algorithm == key],
            "y": [t.score for t in trials if t.algorithm == key],
            "customdata": [[t.number, round(t.seconds, 2)] for t in trials if t.algorithm == key],
            "hovertemplate": f"<b>{label(labels.get(key, key))}</b>, trial %{{customdata[0]}}<br>"
            f"{label(metric)} %{{y:.5~g}}<br>took %{{customdata[1]}} s<extra></extra>",
            "marker": {"size": 7, "color": algorithm_colour(key), "opacity": 0.85, "symbol": symbol},
        }
        for key, symbol in _symbols({t.algorithm for t in trials})
    ]


def _symbols(keys: Iterable[str]) -> list[tuple[str, str]]:
    """Algorithms by name, those of one colour told apart by their shape."""
    met: Counter[str] = Counter()
    found = []
    for key in sorted(keys):
        found.append((key, SHAPES[met[algorithm_colour(key)] % len(SHAPES)]))
        met[algorithm_colour(key)] += 1
    return found


def _best_line(ended: Sequence[TrialRecord], moments: list[float], direction: str, span: float) -> Json:
    line = best_so_far([t.score for t in ended if t.score is not None], direction)
    changes = [i for i in range(len(line)) if i == 0 or line[i] != line[i - 1]]
    until = [moments[-1]] if moments else []
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Best so far",
        "x": [moments[i] for i in changes] + until,
        "y": [line[i] for i in changes] + line[-1:],
        "hovertemplate": "best so far %{y:.5~g}<extra></extra>",
        "line": {"color": TEXT, "width": 1.6, "shape": "hv"},
        "meta": {"span": span},
    }


def _in_words(ended: Sequence[TrialRecord], direction: str, metric: str) -> str:
    scores = [t.score for t in ended if t.score is not None]
    if not scores:
        return "No trial has ended yet."
    best = max(scores) if direction == "maximize" else min(scores)
    families = len({t.algorithm for t in ended})
    return (
        f"{words.plural(len(scores), 'trial')} of {words.plural(families, 'algorithm')} over time. "
        f"The best {metric} so far is {words.score(best)}."
    )
