"""Shows a Chart: drawn once, then updated in place."""

from __future__ import annotations

from flowml.storage.records import Json
from flowml.ui.charts.figure import Chart
from flowml.ui.components import frontend

_render = frontend.load("chart")


def show(chart: Chart | Json, key: str) -> None:
    """A chart, or what its `to_dict` gave before."""
    _render(key=f"chart-{key}", data=chart.to_dict() if isinstance(chart, Chart) else chart)
