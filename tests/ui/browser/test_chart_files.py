"""What the button CSV of a chart gives, worked out by the chart's own script in a real browser."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from flowml.storage.records import ColumnProfile, Importance, TrialRecord, TrialState
from flowml.ui.charts import figure, importance
from flowml.ui.charts.columns import spread
from flowml.ui.charts.confusion import confusion
from flowml.ui.charts.figure import Chart
from flowml.ui.charts.slices import slice_of
from flowml.ui.components.frontend import FOLDER

ASK = "async ([source, chart]) => (await import('data:text/javascript,' + source)).csvOf(chart)"
POINTS: Any = {"type": "scatter", "name": "a &amp; &lt;b&gt;", "x": [1, None, 2], "y": [0.5, None, 0.75]}
PLAIN = Chart("Points", "Two points.", (POINTS,), figure.layout(figure.axis("Time (s)"), figure.axis("F1")))
MOMENTS = ColumnProfile(
    "since", "moment", 0, 2, low=0.0, high=172_800.0, histogram=(3, 5), quantiles={"0.5": 86_400.0}
)
TRIED = [
    TrialRecord(n, "ridge", {"=rate": n / 10, "kind": f"<{n}>, x"}, TrialState.COMPLETE, score=n / 4)
    for n in (1, 2)
]


@pytest.mark.parametrize(
    ("chart", "rows"),
    [
        (PLAIN, [["series", "Time (s)", "F1"], ["a & <b>", "1", "0.5"], ["a & <b>", "2", "0.75"]]),
        (
            importance.importance([Importance("a\"b", 0.25, 0.01)], "F1"),
            [["Loss of F1 when the column is shuffled", "Column", "spread"], ["0.25", 'a"b', "0.01"]],
        ),
        (
            confusion({"labels": ["no", "-yes"], "counts": [[5, 1], [2, 7]]}, "churn"),
            [
                ["Predicted churn", "Actual churn", "value"],
                ["no", "no", "5"],
                ["'-yes", "no", "1"],
                ["no", "'-yes", "2"],
                ["'-yes", "'-yes", "7"],
            ],
        ),
        (
            spread(MOMENTS),
            [
                ["since", "Rows", "from", "to"],
                ["1970-01-01T12:00:00.000Z", "3", "1970-01-01", "1970-01-02"],
                ["1970-01-02T12:00:00.000Z", "5", "1970-01-02", "1970-01-03"],
            ],
        ),
        (
            slice_of(TRIED, "kind", "maximize", "F1"),
            [["trial", "kind", "F1"], ["1", "<1>, x", "0.25"], ["2", "<2>, x", "0.5"]],
        ),
    ],
    ids=["points", "bars with spread", "a matrix", "dates", "a table of its own"],
)  # fmt: skip
def test_the_numbers_of_a_chart_come_as_csv(browser: Browser, chart: Chart, rows: list[list[str]]) -> None:
    page = browser.new_page()
    source = quote(Path(FOLDER / "chart.js").read_text("utf-8"))
    text = page.evaluate(ASK, [source, chart.to_dict()])
    page.close()
    assert text.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(text[1:]))) == rows
