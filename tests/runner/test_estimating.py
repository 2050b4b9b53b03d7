"""What a budget is likely to buy, told before a job starts."""

from __future__ import annotations

import dataclasses
import time

import pytest

from flowml.runner.estimating import estimate
from flowml.storage.records import (
    Capabilities,
    Column,
    Dataset,
    DatasetSchema,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Receipt,
    Role,
    Task,
    Worker,
)


def dataset(rows: int = 10_000, columns: int = 20) -> Dataset:
    learned = [Column(f"c{i}", "number", Role.NUMERIC, unique=rows) for i in range(columns)]
    words = [Column("city", "string", Role.CATEGORICAL, unique=50), Column("id", "string", Role.IDENTIFIER)]
    schema = DatasetSchema(rows, (*learned, *words, Column("y", "string", Role.TARGET, unique=2)))
    return Dataset("data", "table", 1, "ab" * 32, rows, 9, "table.csv", "csv", 0.0, schema)


def worker(cpus: int = 2) -> Worker:
    able = Capabilities("cpu", cpus, cpus, cpus, None, 16 * 2**30, 8 * 2**30)
    return Worker("w", ("cpu",), able, time.time(), time.time())


SPEC = JobSpec("y", budget_s=300.0)


def test_more_time_and_more_cores_buy_more_trials_and_more_rows_fewer() -> None:
    usual = estimate(dataset(), SPEC, Task.BINARY, [worker()])
    assert 1 <= usual.low < usual.high
    longer = dataclasses.replace(SPEC, budget_s=3000.0)
    assert estimate(dataset(), longer, Task.BINARY, [worker()]).high > 5 * usual.high
    assert estimate(dataset(), SPEC, Task.BINARY, [worker(), worker(8)]).high > 2 * usual.high
    assert estimate(dataset(200_000), SPEC, Task.BINARY, [worker()]).high < usual.high
    assert (usual.cores, usual.core_minutes) == (2, 10.0)


def test_limits_of_the_job_are_kept() -> None:
    few = dataclasses.replace(SPEC, max_trials=3)
    assert estimate(dataset(100), few, Task.BINARY, [worker()]).high == 3
    linear = dataclasses.replace(SPEC, algorithms=("logistic",))
    assert estimate(dataset(), linear, Task.BINARY, []).high > estimate(dataset(), SPEC, Task.BINARY, []).high
    assert estimate(dataset(), dataclasses.replace(SPEC, split="holdout"), Task.BINARY, []).folds == 1
    assert estimate(dataset(400), SPEC, Task.BINARY, []).folds == 10


def test_what_an_earlier_job_did_counts_more_than_a_model_of_costs() -> None:
    before = Job(
        "job-1", JobKind.TRAINING, JobState.FINISHED, SPEC, 0.0, trials=40, receipt=Receipt(300.0, 200.0)
    )
    told = estimate(dataset(), SPEC, Task.BINARY, [worker()], before)
    assert (told.low, told.high, told.after) == (30, 120, "job-1")


@pytest.mark.parametrize("task", list(Task))
def test_a_table_of_two_thousand_columns_is_estimated_at_once(task: Task) -> None:
    began = time.process_time()
    assert estimate(dataset(50_000, 2000), SPEC, task, [worker()]).high >= 1
    assert time.process_time() - began < 1.0
