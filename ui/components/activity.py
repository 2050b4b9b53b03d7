"""What was trained in the last weeks, day by day."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from flowml.ui import session
from flowml.ui.charts import activity
from flowml.ui.charts.activity import DAY_S
from flowml.ui.components import chart, clock
from flowml.ui.components.faults import explained

SPANS = {"7 days": 7, "30 days": 30, "90 days": 90}
USUAL = "30 days"


def view() -> None:
    """Days are those of the reader's clock."""
    st.space("small")
    line = st.container(horizontal=True, vertical_alignment="center")
    line.subheader("Day by day", anchor=False, width="stretch")
    with line:
        span = st.segmented_control(
            "Span of time", list(SPANS), default=USUAL, required=True, key="span", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
    now = datetime.now(clock.zone())
    offset = now.utcoffset()
    offset_s = offset.total_seconds() if offset else 0.0
    today = (now.timestamp() + offset_s) // DAY_S * DAY_S
    number = SPANS[span]
    with explained():
        known = session.client().activity(today - (number - 1) * DAY_S - offset_s, offset_s)
    days = activity.whole(known, today, number)
    drawn = (activity.jobs(days), activity.trials(days), activity.hours(days))
    for place, each in zip(st.columns(len(drawn), border=True), drawn, strict=True):
        with place:
            chart.show(each, f"activity-{each.title}")
