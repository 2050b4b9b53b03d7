from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from flowml.automl.problem import SPLIT_KINDS, Problem, define, split_choice
from flowml.storage.errors import DataError, FlowMLError, SpecError, TooFewRows, UnknownColumn
from flowml.storage.records import JobSpec, Role, Task
from tests.automl.tables import customers, prepared, schema_of


def problem_of(target: str = "left", frame: pl.DataFrame | None = None, **spec: Any) -> Problem:
    frame = customers(60) if frame is None else frame
    return define(frame, schema_of(frame), JobSpec(target, **spec))


def test_a_problem_says_what_is_learned_from_what() -> None:
    problem = problem_of()
    assert (problem.task, problem.metric, problem.direction) == (Task.BINARY, "roc_auc", "maximize")
    assert [f.name for f in problem.features] == ["age", "income", "region", "member", "plan", "spend"]
    assert problem.frame.columns == [f.name for f in problem.features]
    assert problem.frame.height == len(problem.y) == 60
    assert problem.outputs == 2


def test_roles_that_the_user_gives_win() -> None:
    roles = {"age": Role.WEIGHT, "region": Role.GROUP, "spend": Role.IGNORED, "plan": Role.IDENTIFIER}
    problem = problem_of(roles=roles)
    assert [f.name for f in problem.features] == ["income", "member"]
    assert problem.weights is not None
    assert problem.weights.mean() == pytest.approx(1.0)
    assert problem.groups is not None
    assert len(np.unique(problem.groups)) == 4
    assert "spend (ignored)" in problem.findings[0].message


def test_a_column_guessed_to_be_a_target_is_a_feature_when_another_is_chosen() -> None:
    frame = customers(60)
    problem = define(frame, schema_of(frame, spend=Role.TARGET, plan=Role.TARGET), JobSpec("left"))
    roles = {f.name: f.role for f in problem.features}
    assert (roles["spend"], roles["plan"]) == (Role.NUMERIC, Role.CATEGORICAL)


def test_rows_without_a_target_go_from_everything() -> None:
    frame = customers(60).with_columns(pl.when(pl.col("age") > 30).then("left").alias("left"))
    problem = problem_of(frame=frame, roles={"age": Role.WEIGHT})
    kept = int((frame["age"] > 30).sum())
    assert problem.frame.height == len(problem.y) == kept
    assert problem.weights is not None
    assert len(problem.weights) == kept


def test_times_order_rows() -> None:
    frame = customers(60).with_columns(pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 2, 29)).alias("day"))
    problem = problem_of(frame=frame, split="time:day")
    assert problem.times is not None
    assert (np.diff(problem.times) > 0).all()
    assert "day" in problem.frame.columns


BAD_SPECS = [
    ({"target": "lef"}, UnknownColumn, "mean 'left'"),
    ({"split": "group:nowhere"}, UnknownColumn, "nowhere"),
    ({"roles": {"nobody": Role.NUMERIC}}, UnknownColumn, "nobody"),
    ({"split": "weekly"}, SpecError, "weekly"),
    ({"split": "group"}, SpecError, "group:COLUMN"),
    ({"folds": 1}, SpecError, "2 or more"),
    ({"budget_s": 0.0}, SpecError, "budget_s"),
    ({"max_trials": 0}, SpecError, "max_trials"),
    ({"metric": "rmse"}, SpecError, "not for binary"),
    ({"target": "age", "metric": "mape", "task": "regression", "roles": {}}, None, ""),
    ({"roles": {"region": Role.WEIGHT}}, DataError, "not numeric"),
    ({"roles": {"income": Role.WEIGHT}}, DataError, "missing or negative"),
    ({"roles": {"age": Role.WEIGHT, "spend": Role.WEIGHT}}, SpecError, "2 columns have the role weight"),
    ({"roles": {"region": Role.TIME}}, DataError, "time column"),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD_SPECS)
def test_bad_specs_are_refused_with_what_to_do(
    changes: dict[str, Any], error: type[FlowMLError] | None, message: str
) -> None:
    spec = {"target": "left", **changes}
    if error is None:
        assert problem_of(**spec).rows == 60
        return
    with pytest.raises(error, match=message) as caught:
        problem_of(**spec)
    assert caught.value.advice


def test_a_metric_must_be_defined_for_the_target() -> None:
    frame = customers(60).with_columns(
        pl.Series("net", np.arange(60) - 30.5), pl.Series("zero", np.arange(60))
    )
    with pytest.raises(SpecError, match="negative"):
        problem_of("net", frame, metric="poisson_deviance")
    with pytest.raises(SpecError, match="zero"):
        problem_of("zero", frame, metric="mape")


def test_nothing_left_to_learn_from() -> None:
    frame = customers(60).select("age", "left")
    with pytest.raises(DataError, match=r"age \(ignored\)"):
        problem_of(frame=frame, roles={"age": Role.IGNORED})


def test_too_few_rows() -> None:
    with pytest.raises(TooFewRows, match="3 rows"):
        problem_of("spend", customers(3), task="regression")


@pytest.mark.parametrize("kind", SPLIT_KINDS)
def test_split_words(kind: str) -> None:
    words = f"{kind}:day" if kind in ("group", "time") else kind
    assert split_choice(JobSpec("y", split=words)) == (kind, "day" if ":" in words else "")


def test_what_is_prepared_holds_each_text_once_and_no_table_beside_the_feeds() -> None:
    table = prepared(rows=200)
    regions = table.feeds["region"].ravel()
    assert len({id(region) for region in regions}) == len(set(regions)) == 4
    assert table.problem.frame.height == 0
    assert table.problem.rows == 200
