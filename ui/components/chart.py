"""Shows a Chart: drawn once, then updated in place."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from flowml.ui.charts.figure import Chart
from flowml.ui.components import frontend

_render = frontend.load("chart")


def show(chart: Chart | bytes, key: str) -> None:
    """A chart, or what `encoded` gave before."""
    _render(key=f"chart-{key}", data=encoded(chart) if isinstance(chart, Chart) else chart)


def encoded(chart: Chart) -> bytes:
    """As it travels to the browser."""
    return json.dumps(chart.to_dict(), ensure_ascii=False, separators=(",", ":")).encode()


def pairs(charts: Sequence[Chart], key: str) -> None:
    """Two beside each other, each in its frame; a last one that is alone has the whole width."""
    for start in range(0, len(charts), 2):
        row = charts[start : start + 2]
        for place, each in zip(st.columns(len(row), border=True), row, strict=True):
            with place:
                show(each, f"{key}-{each.title}")
