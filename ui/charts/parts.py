"""How a model does in the groups of a column, and where in the table it errs most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.charts.figure import LEGEND_ABOVE, Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import PRIMARY, TEXT, colour


def errors(column: str, groups: Sequence[Json], whole: Json, error: str) -> Chart:
    """The mean error of each group with its standard error, beside that of the whole table."""
    names = [f"{group['label']} ({group['rows']:,})" for group in groups][::-1]
    bars = groups[::-1]
    worst = max(groups, key=lambda group: float(group["error"]))
    ticks = {"tickformat": ".0%"} if error == "share of wrong answers" else {}
    return Chart(
        title=f"Error by {words.short(column, 40)}",
        note="In brackets: rows. Whiskers: one standard error. The line: the whole table.",
        alt=f"Mean error ({error}) by {column}: largest for {worst['label']} "
        f"({words.number(worst['error'])}), {words.number(whole['error'])} in the whole table.",
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "x": [group["error"] for group in bars],
                "y": [label(name, 10_000) for name in names],
                "error_x": {
                    "type": "data", "array": [group["spread"] for group in bars],
                    "color": TEXT, "thickness": 1.2, "width": 3,
                },
                "marker": {"color": PRIMARY},
                "hovertemplate": "%{y}<br>%{x:.4~g} ± %{error_x.array:.2~g}<extra></extra>",
            },
            {
                "type": "scatter", "mode": "lines", "name": "whole table",
                "x": [whole["error"]] * 2, "y": [label(names[0], 10_000), label(names[-1], 10_000)],
                "line": {"color": TEXT, "width": 1.5, "dash": "dot"},
                "hovertemplate": "whole table: %{x:.4~g}<extra></extra>",
            },
        ),
        layout=layout(
            axis(words.sentence(error)[:-1], rangemode="tozero", **ticks),
            names_axis(label(column), names),
            bargap=0.35,
        ),
        height=130 + 30 * len(bars),
    )  # fmt: skip


def rates(column: str, groups: Sequence[Json], measures: Mapping[str, str], unit: str) -> Chart:
    """The measures of each group side by side; `measures`: their names in words."""
    shares = unit == "Share of rows"
    return Chart(
        title=f"How the groups of {words.short(column, 40)} are treated",
        alt=f"{words.listing(list(measures.values()), 5)} for each group of {column}: "
        + "; ".join(
            f"{group['label']} "
            + words.listing([words.number(group[key]) for key in measures if group.get(key) is not None], 5)
            for group in groups[:6]
        )
        + ".",
        traces=tuple(
            {
                "type": "bar",
                "name": label(name),
                "x": [label(group["label"], 10_000) for group in groups],
                "y": [group.get(key) for group in groups],
                "marker": {"color": colour(place)},
                "hovertemplate": "%{x}: %{y:.1%}" if shares else "%{x}: %{y:.4~g}",
            }
            for place, (key, name) in enumerate(measures.items())
        ),
        layout=layout(
            names_axis(label(column), [str(group["label"]) for group in groups], 16),
            axis(unit, **({"tickformat": ".0%"} if shares else {})),
            showlegend=True,
            legend=LEGEND_ABOVE,
            barmode="group",
            margin={"l": 56, "r": 12, "t": 44, "b": 44},
        ),
        height=360,
    )
