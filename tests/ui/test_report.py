"""The report of a model: it is whole, stands alone, and takes any name as text."""

from __future__ import annotations

import dataclasses
import html
import re
import shlex
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from flowml.automl.explain import diagnostics, rounded
from flowml.automl.grouping import Grouping
from flowml.automl.groups import Judged, by_group, measured, worst
from flowml.runner.studio import Studio
from flowml.storage import jobs, models
from flowml.storage.ids import new_id
from flowml.storage.records import (
    Artifact,
    Column,
    Dataset,
    DatasetSchema,
    Finding,
    Importance,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Json,
    LeaderboardRow,
    Model,
    Phase,
    Receipt,
    Role,
    Severity,
    Task,
    TrialRecord,
    TrialState,
)
from flowml.ui.charts.confusion import confusion
from flowml.ui.cli import app
from flowml.ui.report import SECTIONS, Facts, intervals, report_of
from flowml.ui.report.scale import of_names, of_numbers
from flowml.ui.report.search import command
from flowml.ui.report.svg import drawn

EVIL = "<script>alert(1)</script>\"'&amp; {x} שלום 🎉"
CLASSES = (EVIL, "<img src=https://a.example/x onerror=alert(2)>")


def told(task: Task, rows: int = 300) -> Json:
    """What the engine tells of a model that is often right."""
    draw = np.random.default_rng(1)
    y = draw.integers(0, 2, rows)
    if task is Task.REGRESSION:
        values = draw.normal(size=rows)
        learned = SimpleNamespace(task=task, classes=(), y=values)
        return dict(rounded(diagnostics(learned, values + draw.normal(size=rows) / 3)))
    share = np.clip(0.2 + 0.6 * y + draw.normal(size=rows) / 5, 0.01, 0.99)
    learned = SimpleNamespace(task=task, classes=CLASSES, y=y)
    found = diagnostics(learned, np.column_stack([1 - share, share]))
    return dict(rounded({**found, "baseline": {"score": 0.5, "prediction": [0.5, 0.5]}}))


def parts(task: Task, rows: int = 300) -> Json:
    """Of a table of which one group is answered much worse than the other."""
    draw = np.random.default_rng(2)
    group = np.repeat([0, 1], rows // 2)
    if task is Task.REGRESSION:
        y = draw.normal(size=rows)
        prediction = y + draw.normal(size=rows) * np.where(group, 5.0, 0.1)
    else:
        y = draw.integers(0, 2, rows)
        right = draw.random(rows) < np.where(group, 0.5, 0.95)
        prediction = np.eye(2)[np.where(right, y, 1 - y)]
    judged = Judged(task, "rmse" if task is Task.REGRESSION else "accuracy", y, prediction)
    groups = Grouping(EVIL, "category", ("good", EVIL), group)
    return {
        "error": "absolute error" if task is Task.REGRESSION else "share of wrong answers",
        "whole": measured(judged),
        "columns": [{"column": EVIL, "groups": by_group(judged, groups)}],
        "worst": worst(judged, [groups], time.monotonic() + 60),
    }


def facts(task: Task = Task.BINARY, *, bare: bool = False) -> Facts:
    """Of a model whose every name is hostile; `bare`: of which nothing was measured or kept."""
    schema = DatasetSchema(
        300,
        (
            Column(EVIL, "number", Role.NUMERIC, minimum=1.0, maximum=9.0, missing=12),
            Column("plain", "string", Role.CATEGORICAL, unique=2, top=(EVIL, "b")),
            Column("target", "string", Role.TARGET, unique=2),
        ),
    )
    column = {"categories": [], "minimum": 1.0, "maximum": 9.0, "missing_share": 0.4, "kind": "number"}
    spec = JobSpec("target", "data-1", budget_s=60.0, split="group:plain", roles={EVIL: Role.NUMERIC})
    finding = Finding("leak", Severity.ERROR, f"{EVIL} tells the target.", advice="Leave it out.")
    receipt = Receipt(
        60.0, 41.0, (Phase("search", 30.0),), {"complete": 1}, ("SHAP values: no time was left",)
    )
    job = Job(
        "job-1", JobKind.TRAINING, JobState.FINISHED, spec, 1.0, dataset_name=EVIL, started_at=10.0,
        findings=(finding,), receipt=None if bare else receipt, metric="roc_auc",
    )  # fmt: skip
    model = Model(
        "model-1", "job-1", f"Ensemble {EVIL}", "ensemble", task, "roc_auc", 0.8, 1.0,
        Artifact("ab" * 32, 1_000_000), score_std=0.02, members=("LightGBM 1", EVIL), weights=(0.7, 0.3),
        contract={"target": "target", "columns": [{"name": EVIL, "role": "numeric", **column}]},
        card={"training": {"rows": 300, "split": "5 folds"}, "findings": [], "notes": [EVIL]},
        importances=() if bare else (Importance(EVIL, 0.1, 0.01), Importance("plain", 0.0, 0.01)),
        diagnostics={} if bare else {**told(task), "parts": parts(task)},
    )  # fmt: skip
    trial = TrialRecord(0, "lightgbm", {}, TrialState.COMPLETE, score=0.8, started_at=11.0, seconds=2.0)
    failed = TrialRecord(1, "xgboost", {}, TrialState.FAILED, cause=EVIL)
    row = LeaderboardRow(
        1, EVIL, "ensemble", 0.8, 0.02, "roc_auc", 2.0, 0.5, 1000, TrialState.COMPLETE, champion=True,
        fold_scores=(0.78, 0.8, 0.82),
    )  # fmt: skip
    dataset = Dataset("data-1", EVIL, 2, "cd" * 32, 300, 9, f"{EVIL}.csv", "csv", 1.0, schema)
    if bare:
        return Facts(model, job, (), ())
    return Facts(model, job, (row,), (trial, failed), dataset)


class Tags(HTMLParser):
    """Which tags are opened, and with what."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("make", [facts, lambda: facts(Task.REGRESSION), lambda: facts(bare=True)])
def test_a_report_is_whole_and_stands_alone(make: Callable[[], Facts]) -> None:
    paper = report_of(make(), now=0.0)
    read = Tags()
    read.feed(paper)
    names = {tag for tag, _ in read.seen}
    assert names.isdisjoint({"script", "img", "link", "iframe", "object", "form", "base"})
    given = {(name, value) for _, attributes in read.seen for name, value in attributes.items()}
    assert not [name for name, _ in given if name.startswith("on") or name == "src"]
    assert all(str(value).startswith("#") for name, value in given if name in ("href", "xlink:href"))
    assert re.findall(r"url\(|@import", paper) == []
    assert [value for name, value in given if name == "id"].count("data") == 1
    for section in SECTIONS:
        body = paper.split(f'<section id="{section.key}">')[1].split("</section>")[0]
        assert len(re.sub(r"<[^>]+>", "", body)) > len(section.title) + 10, section.key
    for chart in re.findall(r"<svg viewBox.*?</svg></figure>", paper):
        ElementTree.fromstring(chart.removesuffix("</figure>"))


def test_a_report_tells_figures_with_their_intervals() -> None:
    paper = report_of(facts())
    text = re.sub(r"<[^>]+>", " ", paper)
    assert "0.7503 to 0.8497" in text  # of the score over three folds
    assert "Accuracy" in text
    assert "expected" not in text
    assert "Wilson" in text
    assert "by group, column plain" in text
    assert paper.count("<svg viewBox") >= 7
    assert paper.count('<svg viewBox="0 0 440 ') >= 4  # two side by side
    assert "1 grave fault" in text
    assert "SHAP values: no time was left" in text
    assert "Nine in ten errors" in report_of(facts(Task.REGRESSION))


@pytest.mark.parametrize(("task", "error"), [(Task.BINARY, "wrong answers"), (Task.REGRESSION, "absolute")])
def test_a_report_tells_in_which_parts_of_the_table_a_model_errs(task: Task, error: str) -> None:
    paper = report_of(facts(task))
    body = paper.split('<section id="slices">')[1].split("</section>")[0]
    text = html.unescape(re.sub(r"<[^>]+>", " ", body))
    assert f"{EVIL}: {EVIL}" in text
    assert error in text
    assert "Error by" in text


def test_the_command_of_a_report_is_one_line_that_a_shell_takes() -> None:
    spec = dataclasses.replace(facts().job.spec, metric="log_loss", max_size_bytes=None)
    parts = shlex.split(command(spec, "it's; a table.csv"))
    assert parts[:4] == ["flowml", "train", "it's; a table.csv", "--target"]
    assert parts[parts.index("--role") + 1] == f"{EVIL}=numeric"
    assert (parts[parts.index("--max-size") + 1], parts[parts.index("--split") + 1]) == ("0", "group:plain")


def test_intervals_hold_what_is_known_of_them() -> None:
    low, high = intervals.of_share(8, 10) or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert intervals.of_share(0, 0) is None
    assert intervals.of_folds([0.5]) is None
    assert intervals.of_area(0.8, 0, 5) is None
    low, high = intervals.of_area(0.8, 50, 50) or (0, 0)
    assert low < 0.8 < high
    assert high - low < 0.2
    assert intervals.of_folds([1.0] * 30) == (1.0, 1.0)


def test_axes_place_values_and_round_their_ticks() -> None:
    scale = of_numbers({"range": [0, 10]}, [])
    assert [text for _, text in scale.ticks] == ["0", "2", "4", "6", "8", "10"]
    assert scale.place(5) == 0.5
    assert of_numbers({"type": "log"}, [1.0, 100.0]).place(10.0) == pytest.approx(0.5)
    assert of_numbers({}, [3.0, 3.0]).place(3.0) == pytest.approx(0.5)
    turned = of_names({"autorange": "reversed", "tickvals": ["a"], "ticktext": ["A"]}, ["a", "b"])
    assert (turned.place("a"), turned.ticks[0]) == (0.75, ("a", "A"))


def test_a_matrix_of_many_classes_is_drawn_without_numbers_in_its_cells() -> None:
    names = [f"class {i}" for i in range(30)]
    counts = [[int(i == j) * 5 for j in range(30)] for i in range(30)]
    drawing = drawn(confusion({"labels": names, "counts": counts}, "kind"))
    assert drawing.count("<rect") == 900
    assert 'class="cell' not in drawing


def test_a_report_comes_over_rest_and_from_the_command_line(
    api: httpx.Client, api_address: str, studio: Studio, flowers: str, tmp_path: Path
) -> None:
    asked = {"dataset_id": flowers, "target_column": "species"}
    job = api.post("/training/start", json=asked).json()["job_id"]
    model = dataclasses.replace(facts().model, id=new_id("model"), job_id=job, created_at=time.time())
    with studio.client._db.write() as cursor:
        models.insert(cursor, model)
        jobs.update(cursor, job, state=JobState.FINISHED, champion=model.id)
    shown = api.get(f"/models/{model.id}/report")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "attachment" in api.get(f"/models/{model.id}/report?download=1").headers["content-disposition"]
    assert api.get("/models/nothing/report").json()["code"] == "not_found"
    out = tmp_path / "report.html"
    ran = CliRunner().invoke(app, ["models", "report", model.id, "--out", str(out), "--studio", api_address])
    assert ran.exit_code == 0, ran.output
    assert out.read_text().startswith("<!doctype html>")
    assert "flowers" in out.read_text()
