"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.storage.records import Json
from flowml.ui.charts.figure import Chart, label, layout, names_axis
from flowml.ui.charts.palette import DEEP, GRID, SURFACE

NUMBERED = 12  # classes up to which each cell shows its number


def confusion(told: Json, target: str, *, shares: bool = False, tangled: bool = False) -> Chart:
    """A heat map of actual against predicted classes, as rows or as shares of each actual class."""
    names: list[str] = told["labels"]
    counts: list[list[int]] = told["counts"]
    cells = [[_share(n, row) for n in row] for row in counts] if shares else counts
    left_out = told.get("left_out", 0)
    return Chart(
        title="Confusion matrix",
        note=f"The {len(names)} {'most confused' if tangled else 'most frequent'} classes; "
        f"{left_out:,} more are left out."
        if left_out
        else "",
        alt=_in_words(names, counts),
        traces=(
            {
                "type": "heatmap",
                "z": cells,
                "x": [label(name, 10_000) for name in names],
                "y": [label(name, 10_000) for name in names],
                "colorscale": [[0, SURFACE], [1, DEEP]],
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "texttemplate": ("%{z:.0%}" if shares else "%{z:,}") if len(names) <= NUMBERED else "",
                "textfont": {"size": 14},
                "hovertemplate": "actual %{y}<br>predicted %{x}<br>"
                + ("%{z:.1%} of the actual class" if shares else "%{z:,} rows")
                + "<extra></extra>",
            },
        ),
        layout=layout(
            names_axis(f"Predicted {label(target)}", names, 14, showgrid=False),
            names_axis(f"Actual {label(target)}", names, 14, showgrid=False, autorange="reversed"),
            shapes=[_frame()],
        ),
        height=max(340, min(620, 120 + 34 * len(names))),
    )


def _share(count: int, row: Sequence[int]) -> float:
    return round(count / sum(row), 4) if sum(row) else 0.0


def _frame() -> Json:
    line = {"color": GRID, "width": 1}
    return {
        "type": "rect",
        "xref": "paper",
        "yref": "paper",
        "x0": 0,
        "y0": 0,
        "x1": 1,
        "y1": 1,
        "line": line,
    }


def _in_words(names: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    rows = sum(sum(row) for row in counts)
    right = sum(row[i] for i, row in enumerate(counts))
    worst = max(
        ((n, names[i], names[j]) for i, row in enumerate(counts) for j, n in enumerate(row) if i != j),
        default=(0, "", ""),
    )
    mixed = f" Most often {worst[1]} is taken for {worst[2]}, {worst[0]:,} times." if worst[0] else ""
    return f"{right:,} of {rows:,} rows are predicted as they are.{mixed}"
