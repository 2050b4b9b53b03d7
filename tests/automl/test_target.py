"""Which task a target asks for, and what cannot be a target."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from flowml.automl.target import read_target
from flowml.storage.errors import BadTarget, SpecError
from flowml.storage.records import Task

DETECTED = [
    ([True, False] * 10, Task.BINARY, ("false", "true"), "boolean"),
    (["yes", "no"] * 10, Task.BINARY, ("no", "yes"), "string"),
    ([0, 1] * 10, Task.BINARY, ("0", "1"), "integer"),
    ([0.5, 1.5] * 10, Task.BINARY, ("0.5", "1.5"), "string"),
    (["a", "b", "c"] * 10, Task.MULTICLASS, ("a", "b", "c"), "string"),
    ([1, 2, 10] * 10, Task.MULTICLASS, ("1", "2", "10"), "integer"),
    ([1.0, 2.0, 3.0] * 10, Task.MULTICLASS, ("1", "2", "3"), "integer"),
    ([0.1, 0.2, 0.3] * 10, Task.REGRESSION, (), ""),
    (list(range(60)), Task.REGRESSION, (), ""),
    ([1, 2, 3, 4], Task.REGRESSION, (), ""),
]


@pytest.mark.parametrize(("values", "task", "classes", "label_type"), DETECTED)
def test_the_task_follows_from_the_values(
    values: list[Any], task: Task, classes: tuple[str, ...], label_type: str
) -> None:
    target = read_target(pl.Series("y", values), "auto")
    assert (target.task, target.classes, target.label_type) == (task, classes, label_type)
    assert target.reason
    assert len(target.y) == len(values)
    if classes:
        assert [classes[code] for code in target.y] == [c for v in values for c in classes if _same(c, v)]


def _same(label: str, value: Any) -> bool:
    return label == (
        str(value).lower() if isinstance(value, bool) else f"{value:g}" if value != str(value) else value
    )


def test_rows_without_a_target_are_left_out_with_a_finding() -> None:
    target = read_target(pl.Series("y", ["a", None, "b", " ", "a", "b"]), "auto")
    assert target.keep.tolist() == [True, False, True, False, True, True]
    assert target.y.tolist() == [0, 1, 0, 1]
    (finding,) = target.findings
    assert "2 of 6 rows" in finding.message


def test_infinite_values_are_no_targets() -> None:
    target = read_target(pl.Series("y", [1.5, float("inf"), float("nan"), 2.5, 3.5]), "auto")
    assert target.y.tolist() == [1.5, 2.5, 3.5]


def test_a_class_with_a_single_row_is_left_out_with_a_finding() -> None:
    target = read_target(pl.Series("y", ["a", "b", "a", "b", "c", "a"]), "auto")
    assert (target.task, target.classes) == (Task.BINARY, ("a", "b"))
    assert target.keep.tolist() == [True, True, True, True, False, True]
    assert "single row" in target.findings[0].message


REFUSED = [
    ([None, None], "auto", "no value in any row"),
    (["", " "], "auto", "no value in any row"),
    (["a", "a"], "auto", "the same value"),
    ([f"id{i}" for i in range(50)], "auto", "of them once: these are no classes"),
    ([1.5, 2.5, 3.5] * 5, "binary", "exactly 2"),
    (["a", "b"] * 5, "regression", "no numbers to predict"),
    ([f"c{i % 1500}" for i in range(4500)], "auto", "1,500 classes; at most 1,000"),
    ([f"c{i % 1000}" for i in range(200_001)], "auto", "at most 200,000 rows of so many classes"),
    (["a", "b", "b"], "auto", "occurs more than once"),
]


@pytest.mark.parametrize(("values", "asked", "message"), REFUSED)
def test_what_cannot_be_learned_is_refused_with_a_reason(values: list[Any], asked: str, message: str) -> None:
    with pytest.raises(BadTarget, match=message) as caught:
        read_target(pl.Series("y", values), asked)
    assert caught.value.advice


def test_dates_are_refused() -> None:
    dates = pl.Series("day", ["2024-01-01", "2024-01-02"]).str.to_date()
    with pytest.raises(BadTarget, match="of type Date"):
        read_target(dates, "auto")


def test_an_asked_task_is_followed_where_it_can_be() -> None:
    assert read_target(pl.Series("y", [1, 2, 3] * 10), "regression").task is Task.REGRESSION
    assert read_target(pl.Series("y", list(range(40)) * 2), "multiclass").task is Task.MULTICLASS
    assert read_target(pl.Series("y", ["a", "b"] * 4), "multiclass").task is Task.BINARY
    with pytest.raises(SpecError, match="clustering"):
        read_target(pl.Series("y", [1, 2, 3]), "clustering")
