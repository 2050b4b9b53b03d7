"""How trials ended, and of what cause."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from flowml.storage.records import LeaderboardRow, TrialRecord, TrialState
from flowml.ui import words
from flowml.ui.charts.figure import Chart, counts_axis, label, layout, lines, names_axis
from flowml.ui.charts.palette import MUTED, colour

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
SHOWN = 14
WIDTH, LINES = 30, 4  # of the text of a cause
COLOURS = {
    TrialState.COMPLETE: colour(1),
    TrialState.PRUNED: MUTED,
    TrialState.FAILED: colour(3),
    TrialState.LOST: colour(2),
    TrialState.RUNNING: colour(0),
}


def kind(trial: TrialRecord | LeaderboardRow) -> str:
    """Its state and cause, alike for causes that differ only in numbers."""
    state = trial.state.value.capitalize()
    return f"{state}: {_NUMBER.sub('…', trial.cause)}" if trial.cause else state


def outcomes(trials: Sequence[TrialRecord]) -> Chart | None:
    counted = Counter((trial.state, kind(trial)) for trial in trials)
    if not counted:
        return None
    shown = counted.most_common(SHOWN)[::-1]
    left_out = len(counted) - len(shown)
    causes = [name for (_, name), _ in shown]
    rows = sum(len(lines(name, WIDTH, LINES)) for name in causes)
    return Chart(
        title="How the trials ended",
        note=f"{words.plural(left_out, 'rarer cause')} left out." if left_out else "",
        alt="How the trials ended: "
        + words.listing([f"{words.plural(n, 'trial')} {name}" for (_, name), n in shown[::-1]], SHOWN)
        + ".",
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "x": [n for _, n in shown],
                "y": [label(name, 10_000) for (_, name), _ in shown],
                "text": [f"{n:,}" for _, n in shown],
                "textposition": "outside",
                "cliponaxis": False,
                "marker": {"color": [COLOURS[state] for (state, _), _ in shown]},
                "hovertemplate": "%{y}<br>%{x:,} trials<extra></extra>",
            },
        ),
        layout=layout(
            counts_axis("Trials", max(counted.values())),
            names_axis("State and cause", causes, WIDTH, LINES),
            bargap=0.35,
            margin={"l": 48, "r": 44, "t": 8, "b": 40},
        ),
        height=100 + 14 * len(shown) + 16 * rows,
    )
