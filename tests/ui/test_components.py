"""The pure parts of the components: what a table, a form or a request is made of."""

from __future__ import annotations

import ast
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from flowml.runner.settings import Settings
from flowml.storage.errors import FlowMLError, NotFound, NotReady, SpecError, StorageError
from flowml.storage.records import (
    Artifact,
    Capabilities,
    Column,
    Dataset,
    DatasetSchema,
    Gpu,
    Importance,
    Job,
    JobKind,
    JobSpec,
    JobState,
    LeaderboardRow,
    Level,
    LogLine,
    Model,
    Moment,
    Role,
    Severity,
    Task,
    TrialRecord,
    TrialState,
    Worker,
)
from flowml.ui.components import (
    datasets,
    faults,
    findings,
    frontend,
    join,
    leaderboard,
    log,
    predict_form,
    request_example,
    schema,
    sparks,
    states,
    tally,
)
from flowml.ui.watch import Watch


def row(score: float | None, rank: int | None = 1, **more: Any) -> LeaderboardRow:
    state = TrialState.COMPLETE if rank else TrialState.FAILED
    return LeaderboardRow(rank, "", "ridge", score, 0.01, "rmse", 2.0, None, 0, state, **more)


def dataset(name: str, version: int, created_at: float, columns: tuple[Column, ...] = ()) -> Dataset:
    schema = DatasetSchema(200, columns)
    return Dataset(f"{name}-{version}", name, version, "0" * 64, 200, 10, "a.csv", "csv", created_at, schema)


def model(*columns: dict[str, Any]) -> Model:
    return Model(
        "m1", "j1", "Ensemble", "ensemble", Task.BINARY, "roc_auc", 0.9, 0.0, Artifact("0" * 64, 1),
        contract={"columns": list(columns), "target": "churn"},
        importances=(Importance("b", 0.5, 0.0), Importance("a", 0.1, 0.0)),
    )  # fmt: skip


# --- leaderboard ------------------------------------------------------------------------------------------


def test_the_leaderboard_keeps_the_order_and_names_the_champion() -> None:
    rows = [row(0.4, 1, champion=True, fold_scores=(0.3, 0.5)), row(None, None, cause="no memory")]
    table = leaderboard.frame(rows, "minimize")
    assert table["rank"].to_list() == [1, None]
    assert table["name"].to_list()[0].startswith("★ ")
    assert table["folds"].to_list() == [[0.3, 0.5], None]
    assert table["state"].to_list() == ["Complete", "Failed"]
    assert table["cause"].to_list() == ["", "no memory"]


@pytest.mark.parametrize(
    ("direction", "scores"), [("maximize", [0.9, 0.8, 0.7]), ("minimize", [0.7, 0.8, 0.9])]
)
def test_the_best_row_stands_highest_whatever_the_direction(direction: str, scores: list[float]) -> None:
    rows = [row(score, place) for place, score in enumerate(scores, start=1)] + [row(None, None)]
    standings = leaderboard.standings(rows, direction)
    assert standings[3] is None
    known = [place for place in standings if place is not None]
    assert known == sorted(known, reverse=True)
    assert known[0] == pytest.approx(1.0)
    assert all(0 <= place <= 1 for place in known)


def test_equal_scores_and_no_scores_have_standings() -> None:
    assert leaderboard.standings([row(0.5, 1), row(0.5, 2)], "maximize") == pytest.approx([1.0, 1.0])
    assert leaderboard.standings([row(None, None)], "maximize") == [None]
    assert leaderboard.standings([], "maximize") == []


@pytest.mark.parametrize(("score", "decimals"), [(0.9, 4), (12.5, 3), (53_000.0, 0), (None, 4)])
def test_scores_are_shown_with_five_digits(score: float | None, decimals: int) -> None:
    assert leaderboard._decimals([row(score, 1)]) == decimals


def test_a_row_is_called_by_the_name_of_its_algorithm_unless_it_has_one() -> None:
    assert leaderboard.name(row(0.5, 1)) == "Ridge regression"
    assert (
        leaderboard.name(LeaderboardRow(**{**row(0.5).__dict__, "name": "Ensemble of 4"})) == "Ensemble of 4"
    )


# --- datasets ---------------------------------------------------------------------------------------------


def test_a_dataset_is_called_by_its_name_and_later_version() -> None:
    assert datasets.title(dataset("a", 1, 0.0)) == "a"
    assert datasets.title(dataset("a", 3, 0.0)) == "a · v3"


def test_the_columns_of_a_dataset_as_a_table() -> None:
    columns = (
        Column("age", "integer", Role.NUMERIC, "Numbers.", 20, 50, 18, 90, median=40.0, histogram=(1, 2)),
        Column("plan", "string", Role.CATEGORICAL, "2 words.", 0, 2, top=("a", "b"), top_counts=(150, 50)),
        Column("day", "date", Role.DATETIME, "Dates.", 0, 9, "2024-01-01T00:00", "2024-03-01T00:00"),
    )
    table = schema.frame(dataset("d", 1, 0.0, columns))
    assert table["role"].to_list() == ["number", "category", "date"]
    assert table["missing"].to_list() == [10.0, 0.0, 0.0]
    assert table["shape"].to_list() == [[1, 2], [150, 50], None]
    assert table["range"].to_list() == ["18 … 90", "", "2024-01-01 … 2024-03-01"]
    assert table["typical"].to_list() == ["40", "a", ""]


# --- predictions ------------------------------------------------------------------------------------------


def test_the_fields_of_a_form_begin_with_the_most_important_column() -> None:
    known = model(
        {"name": "c", "kind": "text"}, {"name": "a", "kind": "number"}, {"name": "b", "kind": "string"}
    )
    assert [field.name for field in predict_form.fields(known)] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [(0.0, 72.0, 1.0), (18.25, 118.75, 2.0), (0.0, 1.0, 0.02), (None, None, 1.0), (5.0, 5.0, 1.0)],
)
def test_the_step_of_a_number_is_a_round_part_of_its_range(
    low: float | None, high: float | None, step: float
) -> None:
    assert predict_form._step(predict_form.Field("x", "number", minimum=low, maximum=high)) == pytest.approx(
        step
    )


def test_the_examples_for_programs_can_be_read_by_them() -> None:
    values = {"it's": 'a"b $HOME `x`', "n": 1.5, "none": None}
    command = shlex.split(request_example._curl("http://host/api", values).replace("\\\n", ""))
    assert command[:3] == ["curl", "-s", "http://host/api"]
    assert json.loads(command[-1]) == {"data": values}
    tree = ast.parse(request_example._python("http://host/api", values))
    assert isinstance(tree.body[1], ast.Assign)
    assert ast.literal_eval(tree.body[1].value) == values


# --- tables of looks --------------------------------------------------------------------------------------


def test_every_state_has_a_look() -> None:
    assert set(states.JOB_LOOKS) == set(JobState)
    assert set(states.TRIAL_LOOKS) == set(TrialState)
    assert set(findings.ICONS) == set(Severity)
    assert set(schema.ROLE_WORDS) == set(Role)


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (NotFound("x"), "Not here"),
        (NotReady("x"), "Not ready"),
        (SpecError("x"), "This does not work yet"),
        (StorageError("x"), "This failed"),
    ],
)
def test_every_error_has_a_title(error: FlowMLError, title: str) -> None:
    assert next(words for kind, words in faults.TITLES if isinstance(error, kind)) == title


@pytest.mark.parametrize("path", sorted(frontend.FOLDER.glob("*.js")), ids=lambda path: path.stem)
def test_a_component_writes_what_it_is_given_as_text_only(path: Any) -> None:
    script = path.read_text()
    assert "export default function" in script
    assert not any(word in script for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval("))
    assert path.with_suffix(".css").exists()
    assert path.with_suffix(".html").exists()


def test_log_lines_as_text() -> None:
    line = LogLine(0.0, Level.WARNING, "studio", "late", "job-1")
    assert log.as_text([line]) == "1970-01-01 00:00:00+00:00 WARNING studio job-1 late\n"


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        (Settings(), "flowml-worker start"),
        (Settings(home=Path("/a b")), "FLOWML_HOME='/a b' flowml-worker start"),
        (
            Settings(redis_url="redis://:secret@host:6379/0"),
            "flowml-worker start --redis 'redis://:***@host:6379/0'",
        ),
    ],
)
def test_the_command_that_joins_holds_no_password(settings: Settings, command: str) -> None:
    assert join.command(settings) == command


def test_a_whole_number_has_a_whole_example() -> None:
    assert predict_form.Field("a", "number", type="integer", example=29.0).typical == 29
    assert predict_form.Field("a", "number", type="number", example=29.0).typical == 29.0
    assert predict_form.Field("a", "string", example="x").typical == "x"


def test_the_search_is_drawn_once_for_all_browsers_that_look_at_it() -> None:
    job = Job("job-1", JobKind.TRAINING, JobState.RUNNING, JobSpec("churn"), 0.0, metric="roc_auc")
    trials = [TrialRecord(n, "ridge", {}, TrialState.COMPLETE, score=0.5 + n / 10) for n in range(3)]
    first = tally.of(job, Watch.of(job.id, trials))
    assert json.loads(first.history)["traces"][0]["y"] == [0.5, 0.6, 0.7]
    assert [row.score for row in first.best] == [0.7, 0.6, 0.5]
    assert first.glance["score"].to_pylist() == [0.7, 0.6, 0.5]
    assert (first.ended, first.failed, first.tried) == (3, 0, {"ridge"})
    assert tally.of(job, Watch.of(job.id, trials)) is first
    assert tally.of(job, Watch.of(job.id, trials[:2])) is not first


def test_a_worker_s_figures_become_lines_that_break_where_nothing_was_heard() -> None:
    card = Gpu(0, "card", vram_total=10)
    machine = Capabilities("a cpu", 2, 2, 2, None, 8_000_000_000, 4_000_000_000, gpus=(card,))
    history = [
        Moment(at, cpu=50.0, memory=4_000_000_000, vram=5, temperature=90.0)
        for at in (100.0, 900.0, 906.0, 994.0, 1000.0)
    ]
    worker = Worker("w", ("cpu",), machine, 0.0, 1000.0)
    shown = {spark["label"]: spark for spark in sparks.sparks(worker, history)}
    assert list(shown) == ["CPU", "Memory", "VRAM", "Temperature"]
    assert shown["CPU"]["stretches"] == [[(0.8333, 0.5), (0.8433, 0.5)], [(0.99, 0.5), (1.0, 0.5)]]
    assert (shown["CPU"]["value"], shown["Temperature"]["value"]) == ("50 %", "90 °C")
    assert (shown["CPU"]["warm"], shown["Temperature"]["warm"]) == (False, True)
    assert "of 2 cores" in shown["CPU"]["title"]
    assert sparks.sparks(worker, []) == []
