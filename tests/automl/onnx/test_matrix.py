"""Every algorithm, task and encoding, on a table with a bit of everything: exported and proven."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.algorithms.exportable import BARRED, Barred
from flowml.automl.candidate import Candidate
from flowml.automl.evaluate import Limits, evaluate, fit_fold, fold_table
from flowml.automl.features import ENCODINGS, SUPERVISED
from flowml.automl.fitted import Fitted
from flowml.automl.onnx import Member, build, check_member, gate
from flowml.automl.onnx.readers import read
from flowml.automl.prepared import Prepared, prepare_frame
from flowml.storage.errors import ExportError
from flowml.storage.records import JobSpec, Role, Task, TrialState
from tests.automl.algorithms.folds import context
from tests.automl.conftest import mixed_table
from tests.automl.onnx.champions import CLASSES, target_of
from tests.automl.tables import schema_of

ROWS = 240
FEW = {"rounds": 8, "trees": 4, "rows": 120, "members": 2, "width": 24}
ALL_ENCODINGS = (*ENCODINGS, *SUPERVISED)
CASES = [
    (key, task, encoding)
    for encoding in ALL_ENCODINGS
    for key, row in ALGORITHMS.items()
    for task in sorted(row.tasks)
]


def takes(key: str, encoding: str) -> bool:
    return ALGORITHMS[key].takes(encoding)


@cache
def table(task: Task) -> Prepared:
    """Numbers, truth values, categories (of one column many), dates, text; missing values in most."""
    frame = mixed_table(ROWS)
    y, draw = target_of(frame, task), np.random.default_rng(2)
    label = y if task is Task.REGRESSION else np.array(CLASSES[task])[y]
    frame = frame.with_columns(
        pl.Series("place", [f"place {n}" for n in draw.integers(0, 40, ROWS)]), pl.Series("score", label)
    )
    return prepare_frame(frame, schema_of(frame, note=Role.TEXT), JobSpec("score", folds=2, task=task.value))


@cache
def member(key: str, task: Task, encoding: str) -> Member:
    """Fitted on one fold, and checked that its bytes are what was fitted."""
    prepared, row = table(task), ALGORITHMS[key]
    params = row.defaults(prepared.shape) | {"encoding": encoding}
    few = {name: value for name, value in FEW.items() if name in params and row.family != "linear"}
    fold = fold_table(prepared, encoding, 0)
    estimator = fit_fold(row, fold, Candidate(0, key, params | few), context())
    made = Member(prepared.encoding(encoding, 0), estimator.freeze())
    rows = prepared.folds.pairs[0][1]
    feeds = {name: values[rows] for name, values in prepared.feeds.items()}
    assert check_member(made, feeds, estimator.predict(fold.X_valid))["passed"]
    return made


def spread(task: Task) -> float | None:
    return float(np.std(table(task).problem.y)) if task is Task.REGRESSION else None


@pytest.mark.parametrize(("key", "task", "encoding"), CASES)
def test_each_is_exported_with_parity_or_refused_before_training(key: str, task: Task, encoding: str) -> None:
    if not takes(key, encoding):
        outcome = evaluate(table(task), Candidate(0, key, {"encoding": encoding}), Limits(60))
        assert "cannot learn from missing values" in outcome.record.cause
        assert outcome.record.fit_seconds == 0
        return
    prepared, members = table(task), [member(key, task, encoding)]
    content = build(prepared.contract, members)
    report = gate(content, prepared.contract, members, prepared.feeds, spread=spread(task))
    assert report["passed"]
    assert report["rows"] == ROWS + 1000


@pytest.mark.parametrize("task", list(Task))
def test_so_is_one_model_of_them_all(task: Task) -> None:
    prepared = table(task)
    members = [
        member(key, each, encoding) for key, each, encoding in CASES if each is task and takes(key, encoding)
    ]
    content = build(prepared.contract, members)
    assert gate(content, prepared.contract, members, prepared.feeds, spread=spread(task))["passed"]


def test_the_table_has_all_that_encodings_are_for() -> None:
    """Else some of them would be the same as others here."""
    names = {key: table(Task.BINARY).encoding(key, 0).names for key in ALL_ENCODINGS}
    assert all(len(names[key]) > len(names[base]) for key, base in SUPERVISED.items())
    assert len({*names.values()}) >= len(ALL_ENCODINGS) - len(ENCODINGS) + 1


# --- what is barred ---------------------------------------------------------------------------------------

EXAMPLES: dict[tuple[str, str], object] = {
    ("lightgbm", "linear_tree"): True,
    ("lightgbm", "zero_as_missing"): True,
    ("lightgbm", "reg_sqrt"): True,
    ("lightgbm", "objective"): "cross_entropy_lambda",
    ("xgboost", "booster"): "gblinear",
    ("xgboost", "multi_strategy"): "multi_output_tree",
    ("xgboost", "objective"): "binary:hinge",
    ("catboost", "max_ctr_complexity"): 3,
    ("catboost", "loss_function"): "CrossEntropy",
}


def test_every_barred_option_has_an_example_and_an_algorithm() -> None:
    assert set(EXAMPLES) == {(row.algorithm, row.option) for row in BARRED}
    assert {row.algorithm for row in BARRED} <= set(ALGORITHMS)


@pytest.mark.parametrize("row", BARRED, ids=lambda row: f"{row.algorithm}-{row.option}")
def test_a_barred_option_is_refused_before_it_is_fitted(row: Barred) -> None:
    asked = {row.option: EXAMPLES[row.algorithm, row.option]}
    outcome = evaluate(table(Task.BINARY), Candidate(0, row.algorithm, asked), Limits(60))
    assert outcome.record.state is TrialState.FAILED
    assert f"cannot be exported: {row.why}" in outcome.record.cause
    assert outcome.record.fit_seconds == 0


@pytest.mark.parametrize(
    ("key", "option"),
    [("lightgbm", "linear_tree"), ("lightgbm", "zero_as_missing"), ("catboost", "max_ctr_complexity")],
)
def test_and_the_exporter_refuses_it_as_well(key: str, option: str) -> None:
    prepared, row = table(Task.BINARY), ALGORITHMS[key]
    params = row.defaults(prepared.shape) | {"encoding": "native", "rounds": 30}
    if key == "catboost":
        params["one_hot_max_size"] = 2
    asked = Candidate(0, key, params | {option: EXAMPLES[key, option]})
    fitted: Fitted = fit_fold(row, fold_table(prepared, "native", 0), asked, context()).freeze()
    with pytest.raises(ExportError):
        read(fitted, len(prepared.encoding("native", 0).names))
