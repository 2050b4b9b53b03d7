"""The benchmark: one real run on a small table, and what it counts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from bench.answers import Answers, score
from bench.report import Report, Row
from bench.rivals import RIVALS
from bench.tables import Table, built_in, split, tables

from flowml.storage.records import Task


def table(task: Task, metric: str) -> Table:
    return Table("small", task, "y", metric, lambda: pl.DataFrame({"y": ["b", "a"] * 50, "x": range(100)}))


def test_it_runs_on_a_built_in_table(tmp_path: Path) -> None:
    options = ["--only", "iris", "--budget", "6s", "--rivals", "lightgbm", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = json.loads((tmp_path / "benchmark.json").read_text())["rows"]
    assert (row["table"], row["rows"], row["columns"], row["metric"]) == ("iris", 150, 4, "log_loss")
    assert row["scores"].keys() == {"flowml", "lightgbm"}
    assert row["trials"] >= 1
    assert row["peak_mb"] > 50
    text = (tmp_path / "benchmark.md").read_text()
    assert "| iris | 150 | 4 | log_loss |" in text
    assert "Mean rank:" in text


def test_a_manifest_lists_tables(tmp_path: Path) -> None:
    pl.DataFrame({"x": [1, 2], "y": [0.5, 1.5]}).write_parquet(tmp_path / "houses.parquet")
    entry = {"name": "houses", "task": "regression", "target": "y"}
    (tmp_path / "manifest.json").write_text(json.dumps([entry]))
    (found,) = tables(tmp_path)
    assert (found.name, found.task, found.metric, found.read().height) == (
        "houses",
        Task.REGRESSION,
        "rmse",
        2,
    )
    assert [each.name for each in built_in()] == ["iris", "wine", "breast_cancer", "digits", "diabetes"]


def test_a_split_is_fixed_and_keeps_the_shares_of_classes() -> None:
    small = table(Task.BINARY, "roc_auc")
    train, held_out = split(small, small.read(), seed=0)
    assert held_out["y"].value_counts(sort=True)["count"].to_list() == [10, 10]
    assert sorted([*train["x"], *held_out["x"]]) == list(range(100))
    assert split(small, small.read(), seed=0)[1].equals(held_out)
    assert not split(small, small.read(), seed=1)[1].equals(held_out)


def test_a_class_that_was_not_trained_scores_as_if_it_were_impossible() -> None:
    truth = pl.Series(["a", "b", "c"])
    answers = Answers(np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]]), ("a", "b"), ("a", "a", "a"))
    assert score(table(Task.MULTICLASS, "accuracy"), truth, answers) == pytest.approx(1 / 3)
    assert score(table(Task.MULTICLASS, "log_loss"), truth, answers) > 10


@pytest.mark.parametrize("name", RIVALS)
def test_rivals_take_columns_as_they_are(name: str) -> None:
    words = {"x": [1.0, None] * 30, "w": ["u", None, "v"] * 20, "b": [True, False] * 30}
    frame = pl.DataFrame({**words, "y": [1, 2] * 30})
    asked = Table("mixed", Task.BINARY, "y", "roc_auc", lambda: frame)
    rows = frame.head(6).with_columns(w=pl.Series(["u", "new", None] * 2))
    answers = RIVALS[name](asked, frame, rows, 5.0, 0, 1)
    assert (answers.values.shape, answers.classes, len(answers.labels)) == ((6, 2), ("1", "2"), 6)
    assert score(asked, rows["y"], answers) > 0.9


def test_the_report_ranks_and_counts() -> None:
    def row(name: str, metric: str, ours: float | None, theirs: float) -> Row:
        return Row(name, "binary", metric, 100, 3, {"flowml": ours, "catboost": theirs})

    rows = (row("a", "roc_auc", 0.9, 0.8), row("b", "log_loss", 0.5, 0.4), row("c", "rmse", None, 1.0))
    report = Report({"seed": 0}, rows)
    assert [each.gain for each in rows] == [pytest.approx(0.125), pytest.approx(-0.25), None]
    assert report.summary() == "Mean rank: catboost 1.33, flowml 1.67. Better 1, level 0, worse 1."
    assert "| c | 100 | 3 | rmse | failed | **1** |" in report.markdown()
