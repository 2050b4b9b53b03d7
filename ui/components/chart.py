"""Shows a Chart: drawn once, then updated in place."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from flowml.storage.records import Json
from flowml.ui.charts.figure import Chart
from flowml.ui.components import frontend

_render = frontend.load("chart")


def show(chart: Chart | Json, key: str) -> None:
    """A chart, or what its `to_dict` gave before."""
    _render(key=f"chart-{key}", data=chart.to_dict() if isinstance(chart, Chart) else chart)


def pairs(charts: Sequence[Chart], key: str) -> None:
    """Two beside each other, each in its frame; a last one that is alone has the whole width."""
    for start in range(0, len(charts), 2):
        row = charts[start : start + 2]
        for place, each in zip(st.columns(len(row), border=True), row, strict=True):
            with place:
                show(each, f"{key}-{each.title}")
