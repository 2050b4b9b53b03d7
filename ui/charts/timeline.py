"""Which machine worked on what, when: a bar for each trial in the lane that it ran in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowml.storage.records import Json, TrialRecord
from flowml.ui import words
from flowml.ui.charts.figure import LEGEND_ABOVE, Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import SURFACE, algorithm_colour

BARS = 1200  # beyond, neighbours of one algorithm in one lane are drawn as one
LANES = 40
MINUTES_FROM = 300
OVERLAP_S = 0.05  # that two trials of one lane may seem to overlap: clocks of machines differ


@dataclass
class Bar:
    lane: str
    algorithm: str
    began: float
    ended: float
    trials: int = 1
    number: int = 0


def timeline(
    trials: Sequence[TrialRecord], started_at: float, labels: Mapping[str, str] | None = None
) -> Chart | None:
    """None where no trial has run."""
    begun = [t for t in trials if t.started_at and t.seconds > 0]
    if not begun:
        return None
    first = min(started_at, min(t.started_at for t in begun)) if started_at else begun[0].started_at
    bars = _lanes(begun, first)
    span = max(bar.ended for bar in bars)
    drawn = _merged(bars, span / BARS) if len(bars) > BARS else bars
    unit, second = ("minutes", 60.0) if span > MINUTES_FROM else ("seconds", 1.0)
    names = list(dict.fromkeys(bar.lane for bar in sorted(bars, key=lambda bar: bar.lane)))
    shown = names[:LANES]
    busy = sum(bar.ended - bar.began for bar in bars)
    machines = len({t.worker for t in begun})
    return Chart(
        title="Timeline of machines and their lanes",
        note=f"The first {LANES} of {len(names):,} lanes." if len(names) > LANES else "",
        alt=f"{words.plural(len(begun), 'trial')} on {words.plural(machines, 'machine')} in "
        f"{words.plural(len(names), 'lane')}; lanes were busy {words.percent(busy / (span * len(names)))} "
        f"of {words.duration(span)}.",
        traces=tuple(
            _trace(key, (labels or {}).get(key, key), [b for b in drawn if b.algorithm == key], second)
            for key in sorted({bar.algorithm for bar in drawn if bar.lane in shown})
        ),
        layout=layout(
            axis(f"Time since the start ({unit})", range=[0, span / second]),
            names_axis("Machine and lane", shown, 28, autorange="reversed"),
            barmode="overlay",
            bargap=0.25,
            showlegend=True,
            legend=LEGEND_ABOVE,
            margin={"l": 56, "r": 12, "t": 44, "b": 44},
        ),
        height=min(900, 130 + 30 * len(shown)) + 18 * (len({bar.algorithm for bar in drawn}) // 4),
        table={
            "columns": ["machine and lane", "algorithm", "trial", "began (s)", "ended (s)"],
            "rows": [[b.lane, b.algorithm, b.number, round(b.began, 3), round(b.ended, 3)] for b in bars],
        },
    )


def _lanes(trials: Sequence[TrialRecord], first: float) -> list[Bar]:
    """Trials of one machine that overlap stand in different lanes, each in the first that is free."""
    free: dict[str, list[float]] = {}
    bars = []
    for trial in sorted(trials, key=lambda t: t.started_at):
        ends = free.setdefault(trial.worker, [])
        began = trial.started_at - first
        place = next((i for i, end in enumerate(ends) if end <= began + OVERLAP_S), len(ends))
        ends[place : place + 1] = [began + trial.seconds]
        lane = f"{trial.worker or 'This machine'} · {place + 1}"
        bars.append(Bar(lane, trial.algorithm, began, began + trial.seconds, 1, trial.number))
    return bars


def _merged(bars: Sequence[Bar], gap: float) -> list[Bar]:
    last: dict[str, Bar] = {}
    merged = []
    for bar in bars:
        before = last.get(bar.lane)
        if before and before.algorithm == bar.algorithm and bar.began - before.ended < gap:
            before.ended, before.trials = max(before.ended, bar.ended), before.trials + 1
        elif bar.ended - bar.began >= gap or before is None or bar.began - before.ended >= gap:
            last[bar.lane] = Bar(bar.lane, bar.algorithm, bar.began, bar.ended, 1, bar.number)
            merged.append(last[bar.lane])
        else:  # too short to be seen
            before.ended, before.trials = max(before.ended, bar.ended), before.trials + 1
    return merged


def _trace(key: str, name: str, bars: Sequence[Bar], second: float) -> Json:
    return {
        "type": "bar",
        "orientation": "h",
        "name": label(name),
        "y": [label(bar.lane, 10_000) for bar in bars],
        "base": [round(bar.began / second, 3) for bar in bars],
        "x": [round((bar.ended - bar.began) / second, 3) for bar in bars],
        "customdata": [
            [
                f"trial {b.number}" if b.trials == 1 else f"{b.trials:,} trials",
                words.duration(b.ended - b.began),
            ]
            for b in bars
        ],
        "marker": {"color": algorithm_colour(key), "line": {"color": SURFACE, "width": 0.5}},
        "hovertemplate": f"{label(name)}, %{{customdata[0]}}<br>%{{customdata[1]}}<extra>%{{y}}</extra>",
    }
