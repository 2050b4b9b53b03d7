"""Charts of the Explain page: what they show, and that names from tables stay text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowml.ui.charts.contributions import strengths, swarm
from flowml.ui.charts.dependence import dependence
from flowml.ui.charts.parts import errors, rates
from flowml.ui.charts.waterfall import REST, SHOWN, Step, waterfall

NAME = "<b>plan & price</b>"
DEPENDENCE: dict[str, Any] = {
    "column": NAME,
    "kind": "category",
    "grid": ["<i>a</i>", "b"],
    "share": [0.7, 0.3],
    "curves": [{"label": "yes", "mean": [0.2, 0.6], "spread": [0.1, 0.2]}],
    "lines": [[0.1, 0.5], [0.3, 0.7]],
    "missing": None,
}
SHAP: dict[str, Any] = {
    "name": "LightGBM 3",
    "scale": "log-odds",
    "rows": 3,
    "columns": [{"column": NAME, "mean": 0.8, "std": 0.1}, {"column": "age", "mean": 0.2, "std": 0.1}],
    "values": [
        {"column": NAME, "value": ["a", None, "b"], "contribution": [1.0, -0.5, 0.9]},
        {"column": "age", "value": [20, 40, 30], "contribution": [0.1, -0.2, 0.3]},
    ],
}
GROUPS: list[dict[str, Any]] = [
    {"label": "<u>north</u>", "rows": 120, "error": 0.2, "spread": 0.03, "predicted": 0.4, "hit_rate": None},
    {"label": "south", "rows": 80, "error": 0.35, "spread": 0.05, "predicted": 0.1, "hit_rate": 0.5},
]


def test_dependence_has_the_mean_and_the_lines_of_rows() -> None:
    drawn = dependence(DEPENDENCE, "Probability of leaves = yes")
    *lines, mean = drawn.traces
    assert [line["y"] for line in lines] == DEPENDENCE["lines"]
    assert mean["y"] == [0.2, 0.6]
    assert "from 0.2 at <i>a</i> to 0.6 at b" in drawn.alt
    assert drawn.table["rows"] == [["<i>a</i>", 0.7, 0.2, 0.1], ["b", 0.3, 0.6, 0.2]]


def test_dependence_of_many_classes_has_a_line_each() -> None:
    curves = [{"label": k, "mean": [0.1, 0.2], "spread": [0.0, 0.0]} for k in "abc"]
    drawn = dependence(DEPENDENCE | {"kind": "number", "grid": [1.0, 2.0], "curves": curves}, "Probability")
    assert [trace["name"] for trace in drawn.traces] == ["a", "b", "c"]
    assert drawn.layout["showlegend"]


def test_a_name_that_is_read_from_the_right_stands_before_its_value() -> None:
    told = waterfall(0.0, [Step("שם", 4.5, 0.1), Step("age", 4.5, 0.1)], "Probability", "yes").traces[0]["y"]
    assert sorted(told) == ["age = 4.5", "שם\u200e = 4.5"]


@pytest.mark.parametrize("columns", [3, 40])
def test_a_waterfall_ends_at_the_answer(columns: int) -> None:
    steps = [Step(f"c{i}", i, (-1) ** i * (i + 1) / 10, 0.01) for i in range(columns)]
    drawn = waterfall(0.3, steps, "Probability of yes", "yes is given 60 %")
    bars = drawn.traces[0]
    assert len(bars["x"]) == min(columns, SHOWN)
    assert bars["base"][-1] == 0.3
    assert bars["base"][0] + bars["x"][0] == pytest.approx(0.3 + sum(step.contribution for step in steps))
    assert [each["y"] for each in drawn.layout["annotations"]] == bars["y"]
    assert {each["xref"] for each in drawn.layout["annotations"]} == {"paper"}
    assert (bars["y"][0] == REST) == (columns > SHOWN)
    assert len(drawn.table["rows"]) == columns + 2
    assert drawn.table["rows"][-1][2] == pytest.approx(0.3 + sum(step.contribution for step in steps))


def test_shap_values_are_shown_by_column_and_by_row() -> None:
    assert "(0.8) and age (0.2)" in strengths(SHAP).alt
    drawn = swarm(SHAP)
    assert drawn.traces[0]["name"] == "age"
    assert drawn.traces[1]["text"] == ["a", "missing", "b"]
    assert drawn.traces[0]["marker"]["color"] == [0.0, 1.0, 0.5]
    assert len(drawn.table["rows"]) == 6


def test_errors_by_group_name_the_worst() -> None:
    drawn = errors(NAME, GROUPS, {"error": 0.26}, "share of wrong answers")
    assert "largest for south (0.35), 0.26 in the whole table" in drawn.alt
    assert drawn.traces[0]["x"] == [0.35, 0.2]
    assert drawn.layout["xaxis"]["tickformat"] == ".0%"


def test_rates_stand_side_by_side() -> None:
    drawn = rates(NAME, GROUPS, {"predicted": "Answered as yes", "hit_rate": "Found"}, "Share of rows")
    assert [trace["y"] for trace in drawn.traces] == [[0.4, 0.1], [None, 0.5]]


def test_no_name_of_a_table_becomes_markup() -> None:
    drawn = [
        dependence(DEPENDENCE, NAME.replace("<", "&lt;")),
        waterfall(0.0, [Step(NAME, "<s>x</s>", 0.1)], "Probability", NAME),
        strengths(SHAP),
        swarm(SHAP),
        errors(NAME, GROUPS, {"error": 0.2}, "absolute error"),
        rates(NAME, GROUPS, {"predicted": "p"}, "Share of rows"),
    ]
    for each in drawn:
        told = json.dumps([*each.traces, each.layout])
        assert not any(tag in told for tag in ("<b>", "<i>", "<u>", "<s>"))
