"""What one column of a dataset holds."""

from __future__ import annotations

from flowml.storage.records import Column, Json
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, label, layout, names_axis
from flowml.ui.charts.palette import MUTED, PRIMARY

SHOWN = 15


def distribution(column: Column, rows: int) -> Chart | None:
    """A histogram of numbers or dates, bars of the most frequent values otherwise; None when empty."""
    if (
        column.histogram
        and isinstance(column.minimum, int | float)
        and isinstance(column.maximum, int | float)
    ):
        return _histogram(column, float(column.minimum), float(column.maximum))
    return _frequent(column, rows) if column.top else None


def _histogram(column: Column, minimum: float, maximum: float) -> Chart:
    bins = len(column.histogram)
    width = (maximum - minimum) / bins or 1.0
    edges = [minimum + i * width for i in range(bins + 1)]
    return Chart(
        title=f"Values of {words.short(column.name, 40)}",
        alt=f"Histogram of {column.name} from {words.number(minimum)} to {words.number(maximum)}; "
        f"the median is {words.number(column.median)}, the mean {words.number(column.mean)}.",
        traces=(
            {
                "type": "bar",
                "x": [edge + width / 2 for edge in edges[:-1]],
                "y": list(column.histogram),
                "width": width,
                "customdata": [[words.number(edges[i]), words.number(edges[i + 1])] for i in range(bins)],
                "hovertemplate": "%{customdata[0]} to %{customdata[1]}<br>%{y:,} rows<extra></extra>",
                "marker": {"color": PRIMARY},
            },
        ),
        layout=layout(
            axis(label(column.name)), axis("Rows"), bargap=0.06, shapes=_median_line(column), annotations=[]
        ),
        height=260,
    )


def _median_line(column: Column) -> list[Json]:
    if column.median is None:
        return []
    line = {"color": MUTED, "width": 1.2, "dash": "dot"}
    return [
        {
            "type": "line",
            "x0": column.median,
            "x1": column.median,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": line,
        }
    ]


def _frequent(column: Column, rows: int) -> Chart:
    shown = list(zip(column.top, column.top_counts, strict=False))[:SHOWN][::-1]
    others = column.unique - len(shown)
    return Chart(
        title=f"Values of {words.short(column.name, 40)}",
        note=f"The {len(shown)} most frequent of {words.count(column.unique)} values." if others > 0 else "",
        alt=f"{column.name} has {words.plural(column.unique, 'value')}; the most frequent are "
        + words.listing([f"{value} ({words.percent(n / rows if rows else 0)})" for value, n in shown[::-1]]),
        traces=(
            {
                "type": "bar",
                "orientation": "h",
                "x": [n for _, n in shown],
                "y": [label(value, 10_000) for value, _ in shown],
                "text": [words.percent(n / rows) if rows else "" for _, n in shown],
                "textposition": "auto",
                "hovertemplate": "%{y}<br>%{x:,} rows (%{text})<extra></extra>",
                "marker": {"color": PRIMARY},
            },
        ),
        layout=layout(
            axis("Rows"), names_axis(label(column.name), [value for value, _ in shown]), bargap=0.3
        ),
        height=max(180, 90 + 26 * len(shown)),
    )
