from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.storage.records import (
    Column,
    ColumnProfile,
    Importance,
    Json,
    Role,
    TargetAssociation,
    TrialRecord,
    TrialState,
)
from flowml.ui.charts import associations, columns, diagnostics, history, importance, probabilities
from flowml.ui.charts.figure import Chart, axis, label
from flowml.ui.charts.palette import COLOURS, algorithm_colour


def trials(scores: list[float], algorithm: str = "lightgbm") -> list[TrialRecord]:
    return [
        TrialRecord(
            i, algorithm, {}, TrialState.COMPLETE, score=score, started_at=1000.0 + 10 * i, seconds=5.0
        )
        for i, score in enumerate(scores)
    ]


NUMERIC = Column(
    "tenure", "integer", Role.NUMERIC, unique=73, minimum=0, maximum=72, mean=32.4, median=29,
    histogram=tuple(range(20)),
)  # fmt: skip
WORDS = Column(
    "plan <b>", "string", Role.CATEGORICAL, unique=30, top=("a & b", "<i>", "c"), top_counts=(50, 30, 20)
)
CURVE = {"x": [0.0, 0.2, 1.0], "y": [0.0, 0.9, 1.0], "area": 0.85}
CALIBRATION = {"predicted": [0.1, 0.8], "observed": [0.15, 0.75], "count": [60, 40]}
CLASSES: Json = {
    "confusion": {"labels": ["no", "<yes>"], "counts": [[50, 10], [5, 35]], "left_out": 0},
    "classes": [],
    "curves": [{"label": "<yes>", "roc": CURVE, "precision_recall": CURVE, "calibration": CALIBRATION}],
}
VALUES: Json = {
    "residuals": {"mean": 0.1, "mae": 1.0, "rmse": 1.4, "quantiles": {"0.25": -0.5, "0.75": 0.6}},
    "histogram": {"edges": [-2.0, 0.0, 2.0], "counts": [4, 6]},
    "scatter": {"actual": [1.0, 2.0], "predicted": [1.1, 1.8]},
}
PROFILE = ColumnProfile("<since>", "moment", 0, 9, low=0.0, high=9e4, histogram=(3, 5), below=2)
TOLD = TargetAssociation("<plan>", "cramers_v", 0.4, 0.2, 0.7, 0.3)
QUALITY = [*diagnostics.quality(CLASSES, "churn"), *diagnostics.quality(VALUES, "price")]
CHARTS: dict[str, Chart | None] = {
    **{chart.title: chart for chart in QUALITY},
    "history": history.history(trials([0.5, 0.7, 0.9]), "maximize", "ROC AUC", 1000.0, 60.0),
    "history of nothing": history.history([], "minimize", "RMSE", 1000.0, 600.0),
    "importance": importance.importance([Importance("a", 0.2, 0.01), Importance("<b>", 0.1, 0.02)], "F1"),
    "importance of nothing": importance.importance([], "F1"),
    "histogram": columns.distribution(NUMERIC, 1000),
    "frequent values": columns.distribution(WORDS, 100),
    "spread": columns.spread(PROFILE),
    "telling": associations.telling([TOLD], "churn"),
    "probabilities": probabilities.probabilities(["no", "yes"], [0.3, 0.7], "churn"),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_has_a_title_a_text_and_named_axes(name: str) -> None:
    chart = CHARTS[name]
    assert chart is not None
    assert chart.title
    assert len(chart.alt) > 20
    for name_of_axis in ("xaxis", "yaxis"):
        assert chart.layout[name_of_axis]["title"]["text"]


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_plain_json_with_colours_of_the_theme(name: str) -> None:
    chart = CHARTS[name]
    assert chart is not None
    text = json.dumps(chart.to_dict(), allow_nan=False)
    assert not re.search(r'"#[0-9a-fA-F]{3,8}"|"rgba?\(', text)


def test_names_are_shown_as_text() -> None:
    chart = CHARTS["frequent values"]
    assert chart is not None
    assert chart.traces[0]["y"] == ["c", "&lt;i&gt;", "a &amp; b"]
    assert label("<script>" * 10, 9) == "&lt;script&gt;…"


def test_two_long_names_stay_two_categories() -> None:
    long = ["x" * 60 + "1", "x" * 60 + "2"]
    chart = probabilities.probabilities(long, [0.5, 0.5], "t")
    ticks = chart.layout["yaxis"]
    assert len(set(ticks["tickvals"])) == 2
    assert set(chart.traces[0]["y"]) == set(ticks["tickvals"])
    assert all(len(text) <= 28 for text in ticks["ticktext"])


def test_the_best_line_follows_the_direction() -> None:
    assert history.best_so_far([3.0, 1.0, 2.0, 0.5], "minimize") == [3.0, 1.0, 1.0, 0.5]
    assert history.best_so_far([0.5, 0.9, 0.7], "maximize") == [0.5, 0.9, 0.9]


def test_history_draws_each_algorithm_and_the_best_line() -> None:
    ended = trials([0.5, 0.7]) + [replace(t, number=9, algorithm="ridge") for t in trials([0.6])]
    failed = replace(trials([0.9])[0], state=TrialState.FAILED, score=None, number=5)
    chart = history.history([*ended, failed], "maximize", "F1", 1000.0, 60.0, {"ridge": "Ridge"})
    assert [trace["name"] for trace in chart.traces] == ["lightgbm", "Ridge", "Best so far"]
    assert chart.traces[0]["x"] == [5.0, 15.0]
    assert chart.traces[2]["y"] == [0.5, 0.6, 0.7, 0.7]
    assert chart.layout["xaxis"]["range"] == [0, 60.0]
    assert chart.title == "Score of each trial (F1, higher is better)"
    assert history.history([], "maximize", "Score", 1000.0, 60.0).title == "Score of each trial"
    late = history.history(ended, "maximize", "F1", 1000.0, 15.0)
    assert late.layout["xaxis"]["range"][1] > 15.0  # the last point is not cut
    assert "3 trials of 2 algorithms" in chart.alt


def test_a_long_budget_is_drawn_in_minutes() -> None:
    chart = history.history(trials([0.5]), "maximize", "F1", 1000.0, 600.0)
    assert chart.layout["xaxis"]["title"]["text"] == "Time since the start (minutes)"
    assert chart.layout["xaxis"]["range"] == [0, 10.0]


def test_a_weak_few_do_not_flatten_the_rest_and_are_told() -> None:
    scores = [0.5, 0.90, 0.91, 0.92, 0.93, 0.94]
    low, high = history.focus(scores, "maximize")
    assert 0.8 < low < 0.91 < 0.94 < high
    assert "outside the frame" in history.history(trials(scores), "maximize", "F1", 1000.0, 60.0).note
    low, high = history.focus([9.0, 1.5, 1.4, 1.3, 1.2, 1.1], "minimize")
    assert low < 1.1 < 1.5 <= high < 9.0


def test_many_trials_are_thinned_but_no_improvement_is_left_out() -> None:
    many = trials([i / 10_000 if i % 97 == 0 else 0.0 for i in range(5000)])
    thinned = history.thin(many, "maximize", limit=500)
    assert len(thinned) < 700
    assert {t.number for t in thinned} >= set(range(97, 5000, 97))


def test_importance_puts_the_strongest_on_top() -> None:
    chart = CHARTS["importance"]
    assert chart is not None
    assert chart.traces[0]["x"] == [0.1, 0.2]
    many = importance.importance([Importance(f"c{i}", i / 100, 0.0) for i in range(50)], "F1")
    assert len(many.traces[0]["x"]) == importance.SHOWN
    assert "20 strongest of 50 columns" in many.note


def test_a_column_without_values_has_no_chart() -> None:
    assert columns.distribution(Column("empty", "string", Role.CONSTANT), 10) is None


@pytest.mark.parametrize("key", ["lightgbm", "dummy", "an unknown one", ""])
def test_an_algorithm_keeps_its_colour(key: str) -> None:
    assert algorithm_colour(key) == algorithm_colour(key)
    assert int(algorithm_colour(key)[1:]) < COLOURS


def test_diagnostics_are_drawn_by_task() -> None:
    assert [chart.title.partition(":")[0] for chart in QUALITY] == [
        "Confusion matrix",
        "ROC",
        "Precision and recall",
        "Calibration",
        "Actual and predicted",
        "Errors (actual less predicted)",
        "Error by prediction",
    ]
    assert QUALITY[-1].traces[1]["y"] == pytest.approx([-0.1, 0.2])
    assert diagnostics.quality({}, "churn") == ()
    assert len(diagnostics.quality({"confusion": CLASSES["confusion"]}, "churn")) == 1


def test_the_confusion_matrix_counts_rows_or_shares() -> None:
    counts, shares = (diagnostics.quality(CLASSES, "churn", shares=each)[0] for each in (False, True))
    assert counts.traces[0]["z"] == [[50, 10], [5, 35]]
    assert shares.traces[0]["z"] == [[0.8333, 0.1667], [0.125, 0.875]]
    assert counts.alt == (
        "85 of 100 rows are predicted as they are. Most often no is taken for <yes>, 10 times."
    )


def test_algorithms_of_one_colour_have_points_of_their_own_shape() -> None:
    keys = [*ALGORITHMS]
    drawn = history.history([trials([0.5], key)[0] for key in keys], "maximize", "F1", 1000.0, 60.0)
    looks = [(trace["marker"]["color"], trace["marker"]["symbol"]) for trace in drawn.traces[:-1]]
    assert len(set(looks)) == len(keys)


def test_ticks_of_thousands_are_separated() -> None:
    assert axis("Rows")["separatethousands"]
