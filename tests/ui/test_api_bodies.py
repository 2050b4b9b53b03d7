"""The API's answers tell all that the records hold: who adds a field to a record is reminded here."""

from __future__ import annotations

import dataclasses

import pytest

from flowml.storage.records import (
    Column,
    Dataset,
    Job,
    JobSpec,
    JobState,
    LeaderboardRow,
    LogLine,
    Model,
    Record,
    Role,
    Task,
    Worker,
)
from flowml.ui.api.bodies.base import Answer
from flowml.ui.api.bodies.datasets import ColumnStats, DatasetAnswer
from flowml.ui.api.bodies.operate import LogLineAnswer, WorkerAnswer
from flowml.ui.api.bodies.results import LeaderboardModel, ModelAnswer
from flowml.ui.api.bodies.training import JobAnswer, TrainingAsked

# Fields of records that the answer leaves out, or tells under the name beside them.
PAIRS: list[tuple[type[Record], type[Answer], dict[str, str | None]]] = [
    (Dataset, DatasetAnswer, {"schema": "table"}),
    (Column, ColumnStats, {"name": "column", "reason": None, "written": None}),
    (
        Job,
        JobAnswer,
        {
            "state": "status",
            "spec": "target_column",
            "dataset_sha256": None,
            "scoring": None,
            "verifying": None,
            "inquiry": None,
        },
    ),
    (LeaderboardRow, LeaderboardModel, {"state": "status", "fit_seconds": "training_time"}),
    (Model, ModelAnswer, {"onnx": "sha256", "card": None, "parity": None, "diagnostics": None}),
    (Worker, WorkerAnswer, {"state": "status", "place": None}),
    (LogLine, LogLineAnswer, {}),
]


@pytest.mark.parametrize(("record", "answer", "renamed"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_an_answer_tells_what_its_record_holds(
    record: type[Record], answer: type[Answer], renamed: dict[str, str | None]
) -> None:
    names = [renamed.get(field.name, field.name) for field in dataclasses.fields(record)]  # type: ignore[arg-type]
    assert {name for name in names if name} - answer.model_fields.keys() == set()


def test_what_is_asked_becomes_the_spec() -> None:
    asked = TrainingAsked(
        dataset_id="d",
        target_column="y",
        problem_type=Task.BINARY,
        time_budget=1.5,
        model_types=["lightgbm"],
        n_trials_per_model=4,
        roles={"id": Role.IGNORED},
        name="first",
    )
    assert asked.spec(300.0) == JobSpec(
        target="y",
        dataset_id="d",
        task="binary",
        budget_s=90.0,
        algorithms=("lightgbm",),
        trials_per_algorithm=4,
        roles={"id": Role.IGNORED},
        name="first",
    )
    assert TrainingAsked(dataset_id="d", target_column="y").spec(300.0) == JobSpec(target="y", dataset_id="d")


def test_a_job_is_told_in_minutes_with_its_state() -> None:
    job = Job(
        id="j",
        kind="training",
        state=JobState.QUEUED,
        spec=JobSpec(target="y", budget_s=90.0),
        created_at=1.0,
    )
    told = JobAnswer.of_job(job).model_dump()
    assert (told["status"], told["target_column"], told["time_budget"]) == ("queued", "y", 1.5)
