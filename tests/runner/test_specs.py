from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from flowml.runner.catalog import choices
from flowml.runner.settings import Settings
from flowml.runner.specs import Choices, check, with_roles_of
from flowml.storage.errors import BadTarget, FlowMLError, SpecError, TooFewRows, UnknownColumn
from flowml.storage.records import Column, Dataset, DatasetSchema, JobSpec, Role, Task

SCHEMA = DatasetSchema(
    rows=100,
    columns=(
        Column("age", "number", Role.NUMERIC, unique=50),
        Column("city", "string", Role.CATEGORICAL, unique=5),
        Column("churn", "string", Role.CATEGORICAL, unique=2),
        Column("empty", "string", Role.CONSTANT, missing=100),
        Column("same", "string", Role.CONSTANT, unique=1),
        Column("since", "date", Role.DATETIME, unique=90),
    ),
)
SETTINGS = Settings()

ACCEPTED: list[dict[str, Any]] = [
    {},
    {"task": "binary", "metric": "roc_auc", "algorithms": ("lightgbm", "dummy")},
    {"split": "group:city", "folds": 3},
    {"split": "time:age"},
    {"budget_s": SETTINGS.longest_budget},
    {"roles": {"age": Role.CATEGORICAL, "churn": Role.TARGET}},
    {"max_trials": 1, "jobs": 2, "seed": 2**32 - 1, "max_latency_ms": 0.5},
]

REFUSED: list[tuple[dict[str, Any], type[FlowMLError], str, str]] = [
    ({"target": ""}, SpecError, "No target is named.", "Name the column"),
    ({"target": "chrun"}, UnknownColumn, "The target is 'chrun'", "Did you mean 'churn'?"),
    ({"target": "zzz"}, UnknownColumn, "no such column", "Known are: age, city"),
    ({"target": "empty"}, BadTarget, "has no values", ""),
    ({"target": "same"}, BadTarget, "the same value in every row", ""),
    (
        {"budget_s": 1.0},
        SpecError,
        "The time budget is 1 s; expected 5 s to 3600 s.",
        "FLOWML_LONGEST_BUDGET",
    ),
    ({"budget_s": 1e9}, SpecError, "expected 5 s to 3600 s", ""),
    ({"budget_s": float("nan")}, SpecError, "The time budget is nan s", ""),
    ({"task": "ranking"}, SpecError, "There is no task 'ranking'; expected one of auto, binary", ""),
    ({"metric": "rocauc"}, SpecError, "There is no metric 'rocauc'", "Did you mean 'roc_auc'?"),
    ({"algorithms": ("lightgmb",)}, SpecError, "no algorithm 'lightgmb'", "Did you mean 'lightgbm'?"),
    ({"task": "regression", "metric": "roc_auc"}, SpecError, "The metric 'roc_auc' is for binary", "another"),
    ({"task": "regression", "algorithms": ("logistic",)}, SpecError, "The algorithm 'logistic' is for", ""),
    ({"task": "regression"}, BadTarget, "The target 'churn' holds words", "Choose classification"),
    ({"target": "since"}, BadTarget, "is of type date, which cannot be predicted", "numbers, words or"),
    ({"split": "weekly"}, SpecError, "There is no split 'weekly'", ""),
    ({"split": "group:town"}, UnknownColumn, "The column to split by is 'town'", ""),
    ({"split": "group:churn"}, SpecError, "The split is by the target", ""),
    ({"folds": 1}, SpecError, "folds is 1; expected 2 to 20", ""),
    ({"max_trials": 0}, SpecError, "max_trials is 0; expected more than 0", ""),
    ({"jobs": 5000}, SpecError, "jobs is 5000", ""),
    ({"seed": -1}, SpecError, "seed is -1", ""),
    ({"roles": {"town": Role.IGNORED}}, UnknownColumn, "role ignored is 'town'", ""),
    ({"roles": {"churn": Role.IGNORED}}, SpecError, "'churn' is the target and cannot be ignored", ""),
    ({"roles": {"age": Role.TARGET}}, SpecError, "'age' has the role target, but the target is 'churn'", ""),
]


@pytest.mark.parametrize("asked", ACCEPTED, ids=str)
def test_what_can_be_done_is_accepted(asked: dict[str, Any]) -> None:
    spec = JobSpec(**{"target": "churn", **asked})
    assert check(spec, SCHEMA, SETTINGS, choices()) == spec


@pytest.mark.parametrize(("asked", "kind", "message", "advice"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_is_explained(
    asked: dict[str, Any], kind: type[FlowMLError], message: str, advice: str
) -> None:
    with pytest.raises(kind) as refused:
        check(JobSpec(**{"target": "churn", **asked}), SCHEMA, SETTINGS, choices())
    assert message in refused.value.message
    assert advice in refused.value.advice


def test_a_table_with_too_few_rows_is_refused() -> None:
    with pytest.raises(TooFewRows, match="9 rows"):
        check(JobSpec("churn"), dataclasses.replace(SCHEMA, rows=9), SETTINGS, Choices())


def test_names_are_left_to_the_job_where_none_are_known() -> None:
    check(JobSpec("churn", metric="anything", algorithms=("whatever",)), SCHEMA, SETTINGS, Choices())


def test_the_catalog_has_a_label_and_a_task_for_every_row() -> None:
    for choice in (*choices().algorithms, *choices().metrics):
        assert choice.label
        assert choice.group
        assert set(choice.tasks) <= set(Task)
        assert choice.tasks


def test_a_metric_that_the_target_cannot_be_for_is_refused() -> None:
    with pytest.raises(SpecError, match="is for regression; 'churn' is for binary or multiclass"):
        check(JobSpec("churn", metric="rmse"), SCHEMA, SETTINGS, choices())


@pytest.mark.parametrize(
    ("spec", "roles"),
    [
        (JobSpec("churn"), {"age": Role.TIME, "city": Role.GROUP}),
        (JobSpec("city"), {"age": Role.TIME}),
        (JobSpec("churn", roles={"city": Role.TEXT}), {"age": Role.TIME, "city": Role.TEXT}),
        (JobSpec("churn", split="group:same"), {"age": Role.TIME}),
        (JobSpec("churn", roles={"empty": Role.TIME}), {"city": Role.GROUP, "empty": Role.TIME}),
    ],
)
def test_a_job_begins_with_the_roles_of_its_dataset(spec: JobSpec, roles: dict[str, Role]) -> None:
    said = {"age": Role.TIME, "city": Role.GROUP, "churn": Role.TARGET}
    dataset = Dataset("d", "d", 1, "0", 100, 1, "d.csv", "csv", 0.0, SCHEMA, roles=said)
    assert with_roles_of(dataset, spec).roles == roles
