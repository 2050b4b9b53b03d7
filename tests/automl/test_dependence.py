"""Partial dependence is the curve of a function that is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from flowml.automl.contract import Contract, Feeds, rows_of, take
from flowml.automl.dependence import CATEGORIES, LINES, POINTS, Part, dependence, sampled
from flowml.automl.metrics import Array
from flowml.automl.problem import Feature
from flowml.storage.records import Role, Task

ROWS = 120
COLUMNS = (
    Feature("x", Role.NUMERIC, "number"),
    Feature("few", Role.NUMERIC, "integer"),
    Feature("flag", Role.BOOLEAN, "boolean"),
    Feature("city", Role.CATEGORICAL, "string"),
    Feature("day", Role.DATETIME, "date"),
    Feature("note", Role.TEXT, "string"),
)


def table() -> pl.DataFrame:
    draw = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "x": [None, *draw.normal(size=ROWS - 1)],
            "few": draw.integers(0, 3, ROWS),
            "flag": draw.random(ROWS) < 0.5,
            "city": [f"city {n}" for n in np.minimum(draw.geometric(0.2, ROWS), 20)],
            "day": [dt.date(2020, 1, 1) + dt.timedelta(days=int(d)) for d in draw.integers(0, 400, ROWS)],
            "note": ["a word"] * ROWS,
        }
    )


def given(task: Task = Task.REGRESSION, classes: tuple[str, ...] = ()) -> tuple[Contract, Feeds]:
    contract = Contract.learn(table(), COLUMNS, task=task, target="y", classes=classes)
    return contract, contract.accept(table())[0]


def line(feeds: Feeds) -> Array:
    values: Array = (2 * np.nan_to_num(feeds["x"], nan=7.0) + feeds["few"]).ravel()
    return values


def test_the_curve_of_a_line_is_that_line() -> None:
    contract, feeds = given()
    halves = [Part(line, take(feeds, slice(0, 50))), Part(line, take(feeds, slice(50, ROWS)))]
    found = dependence(contract, contract.columns[0], halves)
    assert found is not None
    assert (found["column"], found["kind"], len(found["grid"])) == ("x", "number", POINTS)
    (curve,) = found["curves"]
    assert curve["label"] == "y"
    assert curve["mean"] == pytest.approx([2 * x + feeds["few"].mean() for x in found["grid"]])
    assert curve["spread"] == pytest.approx([feeds["few"].std()] * POINTS)
    assert np.array(found["lines"]).shape == (LINES, POINTS)
    assert sum(found["share"]) == pytest.approx((ROWS - 1) / ROWS)
    assert found["missing"] == pytest.approx([14 + feeds["few"].mean()])


def test_few_values_are_all_shown_and_the_most_frequent_categories() -> None:
    contract, feeds = given()
    part = [Part(line, feeds)]
    few = dependence(contract, contract.columns[1], part)
    flag = dependence(contract, contract.columns[2], part)
    city = dependence(contract, contract.columns[3], part)
    assert few is not None
    assert flag is not None
    assert city is not None
    assert few["grid"] == [0.0, 1.0, 2.0]
    assert (few["missing"], flag["kind"], flag["grid"]) == (None, "boolean", [0.0, 1.0])
    assert city["grid"] == list(contract.columns[3].categories[:CATEGORIES])
    assert city["share"] == sorted(city["share"], reverse=True)


def test_dates_are_told_as_dates_and_texts_not_at_all() -> None:
    contract, feeds = given()
    day = dependence(contract, contract.columns[4], [Part(line, feeds)])
    assert day is not None
    assert day["kind"] == "datetime"
    assert all(dt.datetime(2020, 1, 1) <= dt.datetime.fromisoformat(d) for d in day["grid"])
    assert dependence(contract, contract.columns[5], [Part(line, feeds)]) is None


@pytest.mark.parametrize(("classes", "labels"), [(("no", "yes"), ["yes"]), (tuple("abc"), ["a", "b", "c"])])
def test_classes_have_a_curve_each_but_of_two_the_second(classes: tuple[str, ...], labels: list[str]) -> None:
    contract, feeds = given(Task.BINARY if len(classes) == 2 else Task.MULTICLASS, classes)
    shares = np.arange(1, len(classes) + 1) / sum(range(1, len(classes) + 1))
    part = Part(lambda rows: np.tile(shares, (rows_of(rows), 1)), feeds)
    found = dependence(contract, contract.columns[1], [part])
    assert found is not None
    assert [curve["label"] for curve in found["curves"]] == labels
    assert [curve["mean"][0] for curve in found["curves"]] == pytest.approx(shares[-len(labels) :])


def test_a_sample_is_spread_evenly() -> None:
    assert sampled({"x": np.zeros((101, 1))}, 5).tolist() == [0, 25, 50, 75, 100]
    assert sampled({"x": np.zeros((3, 1))}, 5).tolist() == [0, 1, 2]
