"""How often each algorithm was tried, how its trials ended, and its best score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from flowml.storage.records import Json, TrialRecord, TrialState
from flowml.ui import words
from flowml.ui.charts.figure import LEGEND_ABOVE, Chart, counts_axis, label, layout, names_axis
from flowml.ui.charts.outcomes import COLOURS

SHOWN = 20
ENDS = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED, TrialState.LOST)


def by_algorithm(
    trials: Sequence[TrialRecord], direction: str, metric: str, labels: Mapping[str, str] | None = None
) -> Chart | None:
    """Bars of trials that have ended, the most tried algorithm on top; None where there are none."""
    counted = Counter((t.algorithm, t.state) for t in trials if t.state in ENDS)
    if not counted:
        return None
    sums: Counter[str] = Counter()
    for (key, _), number in counted.items():
        sums[key] += number
    best = _best(trials, direction)
    keys = [key for key, _ in sums.most_common()]
    bars = keys[:SHOWN][::-1]
    names = {key: (labels or {}).get(key, key) for key in keys}
    left_out = len(keys) - len(bars)
    told = [
        f"{names[key]} {words.plural(sums[key], 'trial')}, best {words.score(best.get(key))}" for key in keys
    ]
    return Chart(
        title="Trials by algorithm",
        note=f"The {SHOWN} most tried; {words.plural(left_out, 'algorithm')} more." if left_out else "",
        alt=f"Trials by algorithm, and the best {metric} of each: {words.listing(told, 8)}.",
        traces=tuple(
            _bars(state, bars, counted, names, best, metric)
            for state in ENDS
            if any(counted[key, state] for key in bars)
        ),
        layout=layout(
            counts_axis("Trials", max(sums.values())),
            names_axis("Algorithm", [names[key] for key in bars], 20, 2),
            barmode="stack",
            bargap=0.35,
            showlegend=True,
            legend={**LEGEND_ABOVE, "traceorder": "normal"},
            margin={"l": 48, "r": 12, "t": 34, "b": 40},
        ),
        height=130 + 26 * len(bars),
        table={
            "columns": ["algorithm", *(state.value for state in ENDS), f"best {metric}"],
            "rows": [[names[key], *(counted[key, state] for state in ENDS), best.get(key)] for key in keys],
        },
    )


def _best(trials: Sequence[TrialRecord], direction: str) -> dict[str, float]:
    better = max if direction == "maximize" else min
    best: dict[str, float] = {}
    for trial in trials:
        if trial.state is TrialState.COMPLETE and trial.score is not None:
            best[trial.algorithm] = better(best.get(trial.algorithm, trial.score), trial.score)
    return best


def _bars(
    state: TrialState,
    keys: Sequence[str],
    counted: Mapping[tuple[str, TrialState], int],
    names: Mapping[str, str],
    best: Mapping[str, float],
    metric: str,
) -> Json:
    shown = [key for key in keys if counted.get((key, state))]
    return {
        "type": "bar",
        "orientation": "h",
        "name": state.value.capitalize(),
        "x": [counted[key, state] for key in shown],
        "y": [label(names[key], 10_000) for key in shown],
        "customdata": [[words.score(best.get(key))] for key in shown],
        "marker": {"color": COLOURS[state]},
        "hovertemplate": f"%{{y}}: %{{x:,}} {state.value}<br>best {label(metric)} %{{customdata[0]}}"
        "<extra></extra>",
    }
