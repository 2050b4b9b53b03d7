"""The Results page before a job that nobody would wish for: 500 classes, 2,000 columns, names of all kinds.

Such a job would train for long, so what it leaves is stored as its lane would store it; the numbers of the
diagnostics are worked out by the code that lanes use.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from redis.backoff import NoBackoff
from redis.retry import Retry
from streamlit.testing.v1 import AppTest

from flowml.automl import explain
from flowml.runner.connection import connect
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage import jobs, models, trials
from flowml.storage.records import (
    Artifact,
    Importance,
    Job,
    JobKind,
    JobSpec,
    JobState,
    LeaderboardRow,
    Model,
    Phase,
    Receipt,
    Task,
    TrialRecord,
    TrialState,
)
from flowml.ui import navigation, session, words
from flowml.ui.charts.figure import Chart
from flowml.ui.components import chart

SIGNS = (
    "<img src=x onerror=alert(1)>",
    "🙂 &amp; co",
    "مرحبا بالعالم",
    "=SUM(A1)",
    "| a | *b* | `c` $x$ :smile:",
)
CLASSES = tuple(f"{SIGNS[i % len(SIGNS)]} {i}" for i in range(500))
COLUMNS = tuple(f"{SIGNS[i % len(SIGNS)]} column {i}" for i in range(2000))
TARGET = "<b>الهدف</b> 🎯"
VIEWS = {  # and how many charts each has at least
    "Leaderboard": 0,
    "Compare": 1,
    "Diagnostics": 7,
    "Threshold": 1,
    "Search": 8,
    "Importance": 1,
    "Champion": 0,
    "Receipt": 0,
}
CHOSEN_BY = ("score", "std", "fit", "latency", "size", "device", "state", "cause")
TAG = re.compile(r"<(?!/?(?:b|br|extra)>)")
LARGEST = 600_000  # characters of one chart that a browser has to read


@dataclass(frozen=True)
class Learned:
    task: Task
    classes: tuple[str, ...]
    y: np.ndarray


def _model(chance: np.random.Generator) -> Model:
    y = np.repeat(np.arange(len(CLASSES)), 6)
    shares = chance.random((len(y), len(CLASSES)))
    shares[np.arange(len(y)), y] += 40
    shares[:, 3] += 41.5 * (chance.random(len(y)) < 0.1)
    shares /= shares.sum(axis=1, keepdims=True)
    told = explain.rounded(explain.diagnostics(Learned(Task.MULTICLASS, CLASSES, y), shares))
    columns = [{"name": name, "kind": "numeric", "minimum": 0.0, "maximum": 1.0} for name in COLUMNS]
    return Model(
        "model-many", "job-many", "Ensemble", "ensemble", Task.MULTICLASS, "log_loss", 0.5, 2.0,
        Artifact("ab" * 32, 1), champion=True, members=CLASSES[:3], weights=(0.5, 0.3, 0.2),
        importances=tuple(Importance(name, 1 / (i + 1), 0.01) for i, name in enumerate(COLUMNS)),
        contract={"columns": columns, "target": TARGET}, diagnostics=told,
    )  # fmt: skip


def _trial(number: int) -> TrialRecord:
    chance = random.Random(number)
    params = {
        "rate": 10 ** chance.uniform(-3, 0),
        SIGNS[0]: chance.choice(SIGNS),
        "depth": chance.randint(2, 9),
    }
    state = TrialState.FAILED if number % 9 == 8 else TrialState.COMPLETE
    score = None if state is TrialState.FAILED else chance.random()
    return TrialRecord(
        number, "lightgbm" if number % 3 else "logistic", params, state, score=score, metric="log_loss",
        fold_scores=(0.1, 0.2) if score else (), started_at=100.0 + number, seconds=1.5, worker=SIGNS[1],
        cause="" if score else f"Column {SIGNS[0]} has {number} values.",
    )  # fmt: skip


def _row(place: int, trial: TrialRecord) -> LeaderboardRow:
    complete = trial.state is TrialState.COMPLETE
    return LeaderboardRow(
        place if complete else None, f"{SIGNS[0]} {place}", trial.algorithm, trial.score, place / 100,
        "log_loss", 1.0, 0.5 if complete else None, 10_000, trial.state, trial.cause, trial=trial.number,
        champion=place == 2, fold_scores=trial.fold_scores, params=trial.params, worker=trial.worker,
    )  # fmt: skip


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that keeps such a job, and one that failed before its first trial."""
    studio = Studio(Settings(home=tmp_path_factory.mktemp("many"), workers=0))
    studio.start()
    tried = [_trial(number) for number in range(620)]
    ranked = sorted(tried, key=lambda trial: (trial.score is None, trial.score))
    spec = JobSpec(TARGET, "dataset-gone", budget_s=600.0, name=f"{SIGNS[0]} {SIGNS[2]}")
    job = Job(
        "job-many", JobKind.TRAINING, JobState.FINISHED, spec, dataset_name=SIGNS[1], task=Task.MULTICLASS,
        metric="log_loss", direction="minimize", best_score=0.5, champion="model-many", trials=len(tried),
        created_at=90.0, started_at=100.0, ended_at=700.0,
        receipt=Receipt(600.0, 590.0, (Phase("search", 500.0), Phase("finish", 90.0)), {"complete": 551}),
    )  # fmt: skip
    wrong = Job(
        "job-wrong", JobKind.TRAINING, JobState.FAILED, JobSpec(TARGET, "dataset-gone"), created_at=80.0,
        cause=f"The column {SIGNS[0]} is not there", ended_at=81.0,
    )  # fmt: skip
    with studio.client._db.write() as cursor:
        jobs.insert(cursor, job)
        jobs.insert(cursor, wrong)
        models.insert(cursor, _model(np.random.default_rng(5)))
        models.put_leaderboard(cursor, job.id, [_row(i, each) for i, each in enumerate(ranked, start=1)])
        for trial in tried[:90]:
            trials.upsert(cursor, job.id, trial)
    yield studio
    session.bind(None)
    studio.stop()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Chart]:
    """The charts that a page shows."""
    kept: list[Chart] = []
    show = chart.show

    def keep(each: Chart, key: str) -> None:
        kept.append(each)
        show(each, key)

    monkeypatch.setattr(chart, "show", keep)
    return kept


def opened(studio: Studio, **query: str) -> AppTest:
    session.bind(studio)
    app = AppTest.from_file(str(navigation.FOLDER / "main.py"), default_timeout=90)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()  # the Dashboard lists the same
    assert not app.exception, app.exception[0].message
    assert [each.value for each in app.subheader][:2] == ["Recent jobs", "Champions"]
    app.switch_page(navigation.file_of("results")).run()
    assert not app.exception, app.exception[0].message
    return app


def test_each_view_of_many_classes_columns_and_signs_opens(studio: Studio, drawn: list[Chart]) -> None:
    app = opened(studio, job="job-many")
    assert app.title[0].value == words.plain(words.short(f"{SIGNS[0]} {SIGNS[2]}"))
    table = app.dataframe[0].value
    assert set(CHOSEN_BY) <= set(table.columns)
    assert len(table) == 500  # the rest is on the next page
    for view, charts in VIEWS.items():
        drawn.clear()
        app.segmented_control(key="view").set_value(view).run()
        assert not app.exception, (view, app.exception[0].message)
        assert not app.error
        assert len(drawn) >= charts, view
        for each in drawn:
            shown = json.dumps([each.traces, each.layout], ensure_ascii=False)
            assert not TAG.search(shown), each.title
            assert len(shown) < LARGEST, each.title


def test_the_champion_is_named_also_where_a_better_trial_was_not_taken(studio: Studio) -> None:
    app = opened(studio, job="job-many")
    assert next(each for each in app.metric if each.label == "Champion").proto.delta_description == (
        "± 0.0200 over folds"
    )
    app = opened(studio, job="job-wrong")
    assert next(each for each in app.metric if each.label == "Champion").value == "–"


def test_without_redis_pages_show_what_is_stored_and_say_so(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = connect("redis://127.0.0.1:1/0", Retry(NoBackoff(), 0))
    monkeypatch.setattr(studio.client, "_redis", nowhere)
    app = opened(studio, job="job-many")  # past the Dashboard, which lists its jobs
    assert app.dataframe
    app.switch_page(navigation.file_of("live")).run()
    assert not app.exception
    assert [box.value for box in app.warning if "Redis does not answer" in box.value]
    assert app.metric[2].value == "90"  # trials, of those that are stored


def test_a_job_that_failed_says_why(studio: Studio) -> None:
    app = opened(studio, job="job-wrong", view="Diagnostics")
    assert app.error[0].value == words.plain(f"The column {SIGNS[0]} is not there.")
