"""The most similar rows come first, by the columns that matter; gaps are far from values."""

from __future__ import annotations

import polars as pl
import pytest

from flowml.automl.contract import Contract
from flowml.automl.problem import Feature
from flowml.automl.similar import Neighbours, nearest
from flowml.storage.records import Role, Task

FRAME = pl.DataFrame(
    {
        "age": [20.0, 30.0, 40.0, 50.0, None, 21.0],
        "city": ["a", "a", "b", "b", "a", "b"],
        "note": ["x", "y", "z", "x", "y", "z"],
    }
)
COLUMNS = (
    Feature("age", Role.NUMERIC, "number"),
    Feature("city", Role.CATEGORICAL, "string"),
    Feature("note", Role.TEXT, "string"),
)


def found(row: dict[str, object], weights: dict[str, float], count: int = 6) -> Neighbours:
    contract = Contract.learn(FRAME, COLUMNS, task=Task.REGRESSION)
    return nearest(contract, contract.accept(FRAME)[0], contract.accept_row(row)[0], weights, count)


def test_a_row_is_most_like_itself() -> None:
    told = found(FRAME.row(1, named=True), {})
    assert (told.rows[0], told.distances[0]) == (1, 0.0)
    assert told.distances.tolist() == sorted(told.distances)


@pytest.mark.parametrize(("weights", "second"), [({"age": 1.0}, 5), ({"city": 1.0, "age": 0.0}, 1)])
def test_what_matters_decides(weights: dict[str, float], second: int) -> None:
    assert found({"age": 20.0, "city": "a", "note": "q"}, weights).rows[:2].tolist() == [0, second]


def test_a_gap_is_like_a_gap_and_unlike_any_number() -> None:
    told = found({"age": None, "city": "a", "note": None}, {"age": 1.0})
    assert (told.rows[0], told.distances[0]) == (4, 0.0)
    assert told.distances[1] > 0.9


def test_no_more_rows_than_asked_for() -> None:
    assert len(found({"age": 20.0, "city": "a"}, {}, 2).rows) == 2
