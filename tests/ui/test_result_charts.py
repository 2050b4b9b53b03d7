"""Charts of the Results page and the Dashboard: what they count, and what they have in common."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from typing import Any

import pytest

from flowml.storage.records import (
    Day,
    Job,
    JobKind,
    JobSpec,
    JobState,
    LeaderboardRow,
    TrialRecord,
    TrialState,
)
from flowml.ui.charts import (
    activity,
    algorithms,
    compare,
    confused,
    costs,
    diagnostics,
    gains,
    outcomes,
    slices,
)
from flowml.ui.charts.compare import Named
from flowml.ui.charts.figure import Chart
from flowml.ui.charts.parallel import parallel, scale
from flowml.ui.charts.timeline import BARS, timeline

DECISIONS = {
    "threshold": [0.8, 0.5, 0.2, 0.0],
    "hits": [10, 25, 35, 40],
    "alarms": [0, 5, 30, 60],
    "of": 40,
    "rest": 60,
}
CURVE = {"x": [0.0, 0.2, 1.0], "y": [0.0, 0.9, 1.0], "area": 0.85}
CURVES = [
    {
        "label": "<yes>",
        "roc": CURVE,
        "precision_recall": CURVE,
        "calibration": {"predicted": [0.1], "observed": [0.2], "count": [9]},
        "decisions": DECISIONS,
    }
]
PAIRS = [{"actual": "<a>" * 20, "predicted": "b", "rows": 9, "share": 0.3}]
RIVALS: dict[int | None, Any] = {
    1: {"roc": CURVE, "precision_recall": CURVE, "errors": {"x": [0.0, 1.0, 9.0], "y": [0.0, 0.5, 1.0]}},
    None: {"roc": CURVE, "precision_recall": CURVE, "errors": {"x": [0.0, 2.0, 4.0], "y": [0.0, 0.5, 1.0]}},
}
DAYS = [Day(86_400.0 * n, n, 10 * n, 3600.0 * n, failed=n - 2) for n in (2, 4)]
SPAN = activity.whole(DAYS, 86_400.0 * 5, 7)


def tried(number: int, **changes: Any) -> TrialRecord:
    chance = random.Random(number)
    params = {"rate": 10 ** chance.uniform(-3, 0), "kind": chance.choice(["<a>", "b"]), "same": 1}
    trial = TrialRecord(
        number, "lightgbm", params, TrialState.COMPLETE, score=chance.random(), worker="m1",
        started_at=100.0 + number, seconds=1.5,
    )  # fmt: skip
    return replace(trial, **changes)


def row(trial: int | None, *folds: float) -> Named:
    made = LeaderboardRow(
        1, "", "ridge", 0.5, 0.01, "rmse", 2.0, None, 0, TrialState.COMPLETE, trial=trial, fold_scores=folds
    )
    return Named(f"row <{trial}>", made)


TRIED = [tried(n) for n in range(40)]
JOB = Job("job", JobKind.TRAINING, JobState.FINISHED, JobSpec("y"), created_at=99.0, started_at=100.0)
ROWS = [row(1, 0.4, 0.6), row(None, 0.5, 0.7)]
KNOWN = costs.choices(DECISIONS, 1.0, 5.0)
CHARTS: dict[str, Chart | None] = {
    "gain": gains.gain(CURVES),
    "lift": gains.lift(CURVES),
    "cost": costs.cost_curve(KNOWN, KNOWN[1], costs.cheapest(KNOWN), 0.5, "<yes>"),
    "pairs": confused.pairs(PAIRS),
    "folds": compare.folds(ROWS, "RMSE", "minimize"),
    "roc of rows": compare.roc(ROWS, RIVALS, True),
    "precision of rows": compare.precision_recall(ROWS, RIVALS, False),
    "errors of rows": compare.errors(ROWS, RIVALS, "price"),
    "progress": compare.progress([("a", JOB, TRIED), ("b", JOB, [])], "RMSE"),
    "parallel": parallel(TRIED, ["rate", "kind"], "maximize", "F1"),
    "slice of numbers": slices.slice_of(TRIED, "rate", "maximize", "F1"),
    "slice of words": slices.slice_of(TRIED, "kind", "minimize", "RMSE"),
    "importance": slices.importance({"rate": 0.9, "<kind>": 0.1}, "LightGBM", 40),
    "timeline": timeline(TRIED, 100.0),
    "outcomes": outcomes.outcomes(TRIED),
    "algorithms": algorithms.by_algorithm(TRIED, "maximize", "F1", {"lightgbm": "<b>LightGBM"}),
    "jobs": activity.jobs(SPAN),
    "trials": activity.trials(SPAN),
    "hours": activity.hours(SPAN),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_has_a_title_a_text_named_axes_and_colours_of_the_theme(name: str) -> None:
    chart = CHARTS[name]
    assert chart is not None
    assert chart.title
    assert len(chart.alt) > 20
    for axis in ("xaxis", "yaxis"):
        assert chart.layout[axis]["title"]["text"]
    text = json.dumps(chart.to_dict(), allow_nan=False)
    assert not re.search(r'"#[0-9a-fA-F]{3,8}"|"rgba?\(', text)
    if chart.table:
        assert {len(line) for line in chart.table["rows"]} == {len(chart.table["columns"])}


@pytest.mark.parametrize("name", CHARTS)
def test_a_name_is_no_tag_where_plotly_reads_tags(name: str) -> None:
    chart = CHARTS[name]
    assert chart is not None
    shown = json.dumps([chart.traces, chart.layout])
    assert not re.search(r"<(?!/?(?:b|br|extra)>)", shown)


# --- thresholds -------------------------------------------------------------------------------------------


def test_each_threshold_has_its_counts_and_its_cost() -> None:
    assert [(c.threshold, c.hits, c.alarms, c.misses, c.passed, c.cost) for c in KNOWN] == [
        (0.0, 40, 60, 0, 0, 60.0),
        (0.2, 35, 30, 5, 30, 55.0),
        (0.5, 25, 5, 15, 55, 80.0),
        (0.8, 10, 0, 30, 60, 150.0),
        (costs.NEVER, 0, 0, 40, 60, 200.0),
    ]
    assert {choice.rows for choice in KNOWN} == {100}
    assert costs.cheapest(KNOWN).threshold == 0.2
    assert costs.at(KNOWN, 0.3).threshold == 0.2
    assert costs.at(KNOWN, 0.0).threshold == 0.0


def test_prices_move_the_cheapest_threshold() -> None:
    assert costs.cheapest(costs.choices(DECISIONS, 100.0, 1.0)).threshold == 0.8
    assert costs.cheapest(costs.choices(DECISIONS, 0.0, 1.0)).threshold == 0.0
    assert costs.cheapest(costs.choices(DECISIONS, 1.0, 0.0)).hits in (0, 10)


def test_gain_and_lift_count_rows_from_the_likeliest_on() -> None:
    gain, lift = gains.gain(CURVES), gains.lift(CURVES)
    assert gain.traces[1]["x"] == [0.0, 0.1, 0.3, 0.65, 1.0]
    assert gain.traces[1]["y"] == [0.0, 0.25, 0.625, 0.875, 1.0]
    assert lift.traces[1]["y"][0] == 2.5
    assert "25 % of <yes>" in gain.alt
    assert "2.5 times" in lift.alt


# --- classes ----------------------------------------------------------------------------------------------


def test_the_matrix_shows_frequent_or_confused_classes() -> None:
    matrix = {"labels": ["a", "b", "c"], "counts": [[1, 0, 2]] * 3, "left_out": 497}
    told = {"confusion": matrix, "tangled": {**matrix, "labels": ["x", "y", "z"]}, "confused": PAIRS}
    plain, tangled = (diagnostics.quality(told, "t", tangled=each) for each in (False, True))
    assert plain[0].note == "The 3 most frequent classes; 497 more are left out."
    assert tangled[0].note == "The 3 most confused classes; 497 more are left out."
    assert tangled[0].traces[0]["x"] == ["x", "y", "z"]
    assert plain[1].table["rows"] == [["<a>" * 20, "b", 9, 0.3]]
    assert confused.pairs([]) is None


# --- the search -------------------------------------------------------------------------------------------


def test_a_scale_places_numbers_by_size_or_logarithm_and_words_in_order() -> None:
    assert [scale("n", [0, 5, 10]).place(v) for v in (0, 5, 10)] == [0.0, 0.5, 1.0]
    wide = scale("n", [0.001, 0.1, 10.0])
    assert wide.place(0.1) == pytest.approx(0.5)
    assert [tick[1] for tick in wide.ticks] == ["0.001", "10"]
    assert [scale("w", ["b", "a", True]).place(v) for v in (True, "a", "b")] == [0.0, 0.5, 1.0]
    assert scale("one", [3, 3]).place(3) == 0.0


def test_parallel_lines_are_few_and_its_table_is_whole() -> None:
    many = [tried(n) for n in range(3000)]
    drawn = parallel(many, ["rate", "kind"], "maximize", "F1")
    lines = sum(trace["x"].count(None) for trace in drawn.traces)
    assert lines < 500
    assert drawn.note == f"{lines} of 3000 trials are drawn."
    assert len(drawn.table["rows"]) == 3000
    assert drawn.table["rows"][0][-1] == max(t.score or 0 for t in many)


def test_only_params_that_differ_and_that_all_have_are_looked_at() -> None:
    assert slices.differing(TRIED) == ["rate", "kind"]
    assert slices.differing([*TRIED, tried(99, params={"kind": "c"})]) == ["kind"]
    assert slices.differing([]) == []


def test_trials_that_overlap_stand_in_lanes_of_their_machine() -> None:
    drawn = timeline([*TRIED[:4], tried(9, worker="m2", algorithm="ridge")], 100.0, {"ridge": "Ridge"})
    assert drawn is not None
    assert [line[0] for line in drawn.table["rows"]] == [
        "m1 · 1",
        "m1 · 2",
        "m1 · 1",
        "m1 · 2",
        "m2 · 1",
    ]
    assert [trace["name"] for trace in drawn.traces] == ["lightgbm", "Ridge"]
    assert "5 trials on 2 machines in 3 lanes" in drawn.alt
    assert timeline([], 100.0) is None


def test_a_long_timeline_is_drawn_with_few_bars() -> None:
    many = [tried(n, started_at=100.0 + n / 10, seconds=0.1) for n in range(20_000)]
    drawn = timeline(many, 100.0)
    assert drawn is not None
    assert sum(len(trace["y"]) for trace in drawn.traces) <= 2 * BARS
    assert len(drawn.table["rows"]) == 20_000


def test_causes_that_differ_in_numbers_are_one_cause() -> None:
    failed = [
        tried(n, state=TrialState.FAILED, score=None, cause=f"It took {n}.5 s of 3 s.") for n in range(7)
    ]
    drawn = outcomes.outcomes([*TRIED, *failed])
    assert drawn is not None
    assert drawn.traces[0]["x"] == [7, 40]
    assert drawn.traces[0]["y"] == ["Failed: It took … s of … s.", "Complete"]
    assert drawn.layout["yaxis"]["ticktext"] == ["Failed: It took … s of … s.", "Complete"]
    assert outcomes.outcomes([]) is None


def test_a_long_cause_stands_in_lines_and_its_chart_grows() -> None:
    failed = tried(40, state=TrialState.FAILED, score=None, cause="The memory was not enough. " * 4)
    short, long = outcomes.outcomes(TRIED), outcomes.outcomes([*TRIED, failed])
    assert short is not None
    assert long is not None
    told = long.layout["yaxis"]["ticktext"][0].split("<br>")
    assert len(told) == 4
    assert " ".join(told).startswith("Failed: The memory was not enough. The memory")
    assert long.height > short.height + 60


def test_algorithms_are_counted_by_how_their_trials_ended() -> None:
    tries = [
        *TRIED,
        tried(50, algorithm="ridge", state=TrialState.FAILED, score=None),
        tried(51, algorithm="ridge", score=0.25),
        tried(52, algorithm="xgboost", state=TrialState.RUNNING, score=None),
    ]
    drawn = algorithms.by_algorithm(tries, "minimize", "RMSE", {"ridge": "Ridge"})
    assert drawn is not None
    assert [(trace["name"], trace["y"], trace["x"]) for trace in drawn.traces] == [
        ("Complete", ["Ridge", "lightgbm"], [1, 40]),
        ("Failed", ["Ridge"], [1]),
    ]
    assert drawn.table["rows"][1] == ["Ridge", 1, 0, 1, 0, 0.25]
    assert "Ridge 2 trials, best 0.2500" in drawn.alt
    assert algorithms.by_algorithm([tries[-1]], "minimize", "RMSE") is None


# --- days -------------------------------------------------------------------------------------------------


def test_days_without_a_job_are_drawn_too() -> None:
    assert [day.jobs for day in SPAN] == [0, 0, 0, 2, 0, 4, 0]
    assert [trace["y"] for trace in activity.jobs(SPAN).traces] == [
        [0, 0, 0, 2, 0, 2, 0],
        [0, 0, 0, 0, 0, 2, 0],
    ]
    drawn = activity.hours(SPAN)
    assert drawn.traces[0]["y"] == [0, 0, 0, 2, 0, 4, 0]
    assert drawn.note == "6 h in 7 days"
    assert drawn.traces[0]["x"][-1] == "6 Jan"
