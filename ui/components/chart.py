"""Shows a Chart: drawn once, then updated in place."""

from __future__ import annotations

from flowml.ui.charts.figure import Chart
from flowml.ui.components import frontend

_render = frontend.load("chart")


def show(chart: Chart, key: str) -> None:
    _render(key=f"chart-{key}", data=chart.to_dict())
