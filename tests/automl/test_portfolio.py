"""Every entry of PORTFOLIO."""

from __future__ import annotations

import pytest

from flowml.automl.algorithms import ALGORITHMS, algorithms_for
from flowml.automl.portfolio import PORTFOLIO, portfolio
from flowml.automl.sampler import Sampler
from flowml.storage.records import Task, TrialRecord, TrialState
from tests.automl.algorithms.folds import shape_of


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("rows", [200, 300_000])
def test_every_entry_of_the_portfolio_lies_in_its_search_space(task: Task, rows: int) -> None:
    shape = shape_of(task, rows=rows, skewed=task is Task.REGRESSION)
    keys = tuple(row.key for row in algorithms_for(task))
    entries = portfolio(shape, keys)
    assert {entry.algorithm for entry in entries} == set(keys) - {"dummy"}
    sampler = Sampler(0)
    for number, entry in enumerate(entries):
        record = TrialRecord(number, entry.algorithm, entry.changes, TrialState.COMPLETE)
        sampler.tell(record, ALGORITHMS[entry.algorithm], shape, 0.5)
    assert sampler.size == len(entries)


def test_every_change_of_the_portfolio_is_a_param() -> None:
    shape = shape_of(Task.REGRESSION, skewed=True)
    binary = shape_of(Task.BINARY)
    for entry in PORTFOLIO:
        row = ALGORITHMS[entry.algorithm]
        known = row.defaults(shape) if Task.REGRESSION in row.tasks else {}
        known |= row.defaults(binary) if Task.BINARY in row.tasks else {}
        assert set(entry.changes) <= set(known)
