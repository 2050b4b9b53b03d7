"""What one column of a dataset holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flowml.storage.records import Column, ColumnProfile, Json
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


def spread(column: ColumnProfile) -> Chart | None:
    """A histogram of numbers or moments over the bulk of the values; None for what has none."""
    if not column.histogram or column.low is None or column.high is None:
        return None
    bins = len(column.histogram)
    width = (column.high - column.low) / bins
    edges = [column.low + i * width for i in range(bins + 1)]
    shown = _moment if column.kind == "moment" else words.number
    middle = column.quantiles.get("0.5")
    scale = 1000 if column.kind == "moment" else 1  # plotly counts dates in milliseconds
    kind = {"type": "date"} if column.kind == "moment" else {}
    return Chart(
        title=f"Values of {words.short(column.column, 40)}",
        note=_beyond(column, shown),
        alt=f"Histogram of {column.column} from {shown(edges[0])} to {shown(edges[-1])}; "
        f"the median is {shown(middle)}.",
        traces=(
            {
                "type": "bar",
                "x": [(edge + width / 2) * scale for edge in edges[:-1]],
                "y": list(column.histogram),
                "width": width * scale,
                "customdata": [[shown(edges[i]), shown(edges[i + 1])] for i in range(bins)],
                "hovertemplate": "%{customdata[0]} to %{customdata[1]}<br>%{y:,} rows<extra></extra>",
                "marker": {"color": PRIMARY},
            },
        ),
        layout=layout(
            axis(label(column.column), **kind), axis("Rows"), bargap=0.06, shapes=_line_at(middle, scale)
        ),
        height=260,
        more=("from", "to"),
    )


def _beyond(column: ColumnProfile, shown: Callable[[float | None], str]) -> str:
    """Of the values that would press all others into one bar."""
    parts = [
        f"{words.plural(count, 'value')} {side} {shown(edge)}"
        for count, side, edge in ((column.below, "below", column.low), (column.above, "above", column.high))
        if count
    ]
    return f"Not shown: {' and '.join(parts)}." if parts else ""


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return words.MISSING
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)  # also before 1970
    return at.strftime("%Y-%m-%d")


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
            axis(label(column.name)),
            axis("Rows"),
            bargap=0.06,
            shapes=_line_at(column.median),
            annotations=[],
        ),
        height=260,
        more=("from", "to"),
    )


def _line_at(median: float | None, scale: float = 1) -> list[Json]:
    if median is None:
        return []
    place = median * scale
    line = {"color": MUTED, "width": 1.2, "dash": "dot"}
    return [{"type": "line", "x0": place, "x1": place, "yref": "paper", "y0": 0, "y1": 1, "line": line}]


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
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{y}<br>%{x:,} rows (%{text})<extra></extra>",
                "marker": {"color": PRIMARY},
            },
        ),
        layout=layout(
            axis("Rows", nticks=5),
            names_axis(label(column.name), [value for value, _ in shown]),
            bargap=0.3,
            margin={"l": 48, "r": 52, "t": 8, "b": 40},
        ),
        height=max(180, 90 + 26 * len(shown)),
    )
