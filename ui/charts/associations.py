"""What columns have to do with each other and with a target."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.storage.records import TargetAssociation
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import PRIMARY

SHOWN = 15
MEASURES = {
    "spearman": "rank correlation",
    "cramers_v": "Cramér's V",
    "correlation_ratio": "correlation ratio",
}


def telling(columns: Sequence[TargetAssociation], target: str) -> Chart | None:
    """Bars of what each column alone predicts, the most telling on top; None where there are none."""
    shown = list(columns[:SHOWN])[::-1]
    if not shown:
        return None
    best = shown[-1]
    return Chart(
        title=f"What each column alone tells of {words.short(target, 40)}",
        note="On rows that were not looked at; 100 % would be all there is to know.",
        alt=f"The most telling of {words.plural(len(columns), 'column')} is {best.column}, which alone "
        f"predicts {words.percent(best.power)} of {target}.",
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "x": [each.power * 100 for each in shown],
                "y": [label(each.column, 10_000) for each in shown],
                "customdata": [[_measured(each)] for each in shown],
                "hovertemplate": "%{y}<br>%{x:.1f} %<br>%{customdata[0]}<extra></extra>",
                "marker": {"color": PRIMARY},
            },
        ),
        layout=layout(
            axis("Predicted by this column alone (%)", rangemode="tozero"),
            names_axis("Column", [each.column for each in shown]),
            bargap=0.3,
        ),
        height=max(180, 90 + 26 * len(shown)),
        more=("measured",),
    )


def _measured(each: TargetAssociation) -> str:
    parts = [
        f"{MEASURES[each.measure]} {each.value:.2f}",
        f"mutual information {each.mutual_information:.0%}",
    ]
    if each.auc is not None:
        parts.append(f"AUC {each.auc:.3f}")
    return "<br>".join(parts)
