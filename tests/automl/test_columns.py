"""Columns that are left out, and why."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from flowml.automl.columns import useless
from flowml.automl.problem import define
from flowml.storage.records import JobSpec, Role
from flowml.storage.schema import infer

ROWS = 60
NUMBERS = [((7 * n) % 31) / 4 for n in range(ROWS)]
WORDS = [("red", "green", "blue")[n % 3] for n in range(ROWS)]

ALONE: list[tuple[list[Any], str]] = [
    ([None] * ROWS, "no value in any row with a target"),
    ([1.5] * ROWS, "one value in all rows with a target"),
    ([1.5] * (ROWS - 2) + [2.5, None], "one value in all but 2 rows"),
    ([None] * (ROWS - 2) + ["a", "b"], "one value in all but 2 rows"),
    ([1.5] * (ROWS - 3) + [2.5, 3.5, 4.5], ""),
    (NUMBERS, ""),
    ([[1, 2]] * ROWS, ""),
]


@pytest.mark.parametrize(("values", "reason"), ALONE)
def test_a_column_that_hardly_varies_teaches_nothing(values: list[Any], reason: str) -> None:
    frame = pl.DataFrame({"x": values})
    assert useless(frame, infer(frame), ["x"]) == ({"x": reason} if reason else {})


def test_a_short_table_has_no_near_constant_columns() -> None:
    frame = pl.DataFrame({"x": [0] * 19 + [1]})
    assert useless(frame, infer(frame), ["x"]) == {}


COPIES: list[tuple[list[Any], list[Any], bool]] = [
    (NUMBERS, NUMBERS, True),
    (list(range(ROWS)), [float(n) for n in range(ROWS)], True),
    (NUMBERS, [-n for n in NUMBERS], False),
    (NUMBERS, [*NUMBERS[:-1], None], False),
    (WORDS, [word[0] for word in WORDS], True),
    (WORDS, [*WORDS[:-1], "red"], False),
    (WORDS, [{"red": 1, "green": 2, "blue": 3}[word] for word in WORDS], False),  # numbers have an order
    ([word == "red" for word in WORDS], ["yes" if word == "red" else "no" for word in WORDS], True),
    ([word == "red" for word in WORDS], [int(word != "red") for word in WORDS], True),
    ([None if word == "red" else word for word in WORDS], WORDS, False),
]


@pytest.mark.parametrize(("one", "other", "copies"), COPIES)
def test_a_column_that_can_be_told_from_another_is_left_out(
    one: list[Any], other: list[Any], copies: bool
) -> None:
    frame = pl.DataFrame({"one": one, "other": other})
    assert useless(frame, infer(frame), frame.columns) == ({"other": "the same as one"} if copies else {})


def test_dates_are_compared_too() -> None:
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 2, 29), eager=True)
    frame = pl.DataFrame({"day": days, "again": days, "later": days.reverse()})
    assert useless(frame, infer(frame), frame.columns) == {"again": "the same as day"}


def table() -> pl.DataFrame:
    target = pl.Series(["yes", "no", None] * (ROWS // 3))
    only_without = [None if n % 3 == 2 else 1 for n in range(ROWS)]
    return pl.DataFrame({"x": NUMBERS, "copy": NUMBERS, "late": only_without, "y": target})


def test_what_is_left_out_is_named_with_the_reason() -> None:
    frame = table()
    problem = define(frame, infer(frame), JobSpec("y"))
    assert [feature.name for feature in problem.features] == ["x"]
    told = {finding.kind: finding for finding in problem.findings}["left_out"]
    assert told.message == (
        "2 columns are not learned from: late (one value in all rows with a target), copy (the same as x)."
    )
    assert told.evidence == {"columns": ["late", "copy"]}


def test_a_column_that_the_user_gave_a_role_is_kept() -> None:
    frame = table()
    problem = define(frame, infer(frame), JobSpec("y", roles={"copy": Role.NUMERIC, "late": Role.NUMERIC}))
    assert [feature.name for feature in problem.features] == ["x", "copy", "late"]
