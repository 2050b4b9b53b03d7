"""Contributions add up exactly, for functions that are known and for a model from its file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from flowml.automl.contract import Contract, Feeds, rows_of
from flowml.automl.contributions import MOST_ROWS, background, contributions
from flowml.automl.finish import finish
from flowml.automl.metrics import Array
from flowml.automl.problem import Feature
from flowml.automl.serve import Model
from flowml.storage.errors import ContractError
from flowml.storage.records import Json, Role, Task
from tests.automl.conftest import FEATURES, mixed_table
from tests.automl.tables import customers
from tests.automl.test_finish import study


class Function:
    """A model that is a function of its feeds."""

    def __init__(self, contract: Contract, scores: Callable[[Feeds], Array], known: Json) -> None:
        self.contract = contract
        self.scores = scores
        self._known = json.loads(json.dumps(known))

    def about(self, name: str) -> Any:
        return self._known.get(name)


def numbers(scores: Callable[[Feeds], Array], task: Task = Task.REGRESSION, **more: Any) -> Function:
    draw = np.random.default_rng(0)
    frame = pl.DataFrame({name: draw.normal(size=500) for name in "abc"})
    columns = [Feature(name, Role.NUMERIC, "number") for name in "abc"]
    contract = Contract.learn(frame, columns, task=task, target="y", **more)
    return Function(contract, scores, {"background": background(contract, contract.accept(frame)[0])})


def test_each_column_of_a_sum_gets_its_own_part() -> None:
    model = numbers(lambda feeds: (2 * feeds["a"] - feeds["b"]).ravel())
    told = contributions(model, {"a": 3.0, "b": 1.0, "c": 5.0})
    means = {name: np.mean(values) for name, values in model.about("background").items()}
    parts = {each.column: each.contribution for each in told.columns}
    assert parts == pytest.approx({"a": 2 * (3 - means["a"]), "b": means["b"] - 1, "c": 0.0})
    assert told.columns[0].column == "a"
    assert (told.label, told.prediction, told.columns[0].value) == ("y", 5.0, 3.0)
    assert told.base + sum(parts.values()) == pytest.approx(5.0, abs=1e-12)


def test_what_columns_do_together_is_shared_and_adds_up() -> None:
    model = numbers(lambda feeds: (feeds["a"] * feeds["b"]).ravel())
    told = contributions(model, {"a": 2.0, "b": 2.0, "c": 0.0})
    parts = {each.column: each.contribution for each in told.columns}
    assert parts["a"] == pytest.approx(parts["b"], abs=0.5)
    assert told.base + sum(parts.values()) == pytest.approx(4.0, abs=1e-12)
    assert told == contributions(model, {"a": 2.0, "b": 2.0, "c": 0.0})


def test_the_class_of_the_answer_is_explained_or_the_one_asked_for() -> None:
    def shares(feeds: Feeds) -> Array:
        second = 1 / (1 + np.exp(-feeds["a"]))
        return np.concatenate([1 - second, second], axis=1)

    model = numbers(shares, Task.BINARY, classes=("no", "yes"))
    row = {"a": 2.0, "b": 0.0, "c": 0.0}
    yes, no = contributions(model, row), contributions(model, row, "no")
    assert (yes.label, no.label) == ("yes", "no")
    assert yes.columns[0].contribution == pytest.approx(-no.columns[0].contribution)
    with pytest.raises(ContractError, match="no class 'maybe'"):
        contributions(model, row, "maybe")


def test_a_slow_model_is_asked_less() -> None:
    asked: list[int] = []

    def slow(feeds: Feeds) -> Array:
        asked.append(rows_of(feeds))
        return feeds["a"].ravel()

    model = numbers(slow)
    contributions(model, {"a": 1.0, "b": 1.0, "c": 1.0})
    model._known["card"] = {"rows_per_second": 500.0}
    told = contributions(model, {"a": 1.0, "b": 1.0, "c": 1.0})
    assert asked[1] < asked[0] / 5
    assert told.base + sum(each.contribution for each in told.columns) == pytest.approx(1.0, abs=1e-12)


def test_a_background_is_like_its_table_and_holds_no_text() -> None:
    frame = mixed_table()
    contract = Contract.learn(frame, FEATURES, task=Task.BINARY, classes=("no", "yes"))
    found = background(contract, contract.accept(frame)[0])
    assert set(found) == {feature.name for feature in FEATURES} - {"note"}
    assert {len(values) for values in found.values()} == {MOST_ROWS}
    assert set(found["plan"]) == {"free", "plus", "pro"}
    assert sum(value is None for value in found["income"]) == pytest.approx(0.1 * MOST_ROWS, abs=4)
    assert np.mean(found["age"]) == pytest.approx(frame["age"].mean(), abs=2)
    wide = pl.DataFrame({f"x{n}": [1.0, 2.0] for n in range(2000)})
    columns = [Feature(name, Role.NUMERIC, "number") for name in wide.columns]
    contract = Contract.learn(wide, columns, task=Task.REGRESSION)
    assert sum(map(len, background(contract, contract.accept(wide)[0]).values())) <= 20_000


def test_a_model_of_all_kinds_of_columns_explains_any_row() -> None:
    frame = mixed_table()
    contract = Contract.learn(frame, FEATURES, task=Task.REGRESSION, target="y")
    feeds, _ = contract.accept(frame)

    def scores(given: Feeds) -> Array:
        age = np.nan_to_num(given["age"])
        return (age + (given["city"] == "Bonn") + (given["note"] != "") + (given["joined"] > 0)).ravel()

    model = Function(contract, scores, {"background": background(contract, feeds)})
    told = contributions(model, {"age": "41", "city": None, "note": "late", "seen": "2020-01-02"})
    parts = {each.column: each for each in told.columns}
    assert (parts["age"].value, parts["city"].value, parts["note"].value) == (41.0, None, "late")
    assert parts["note"].contribution == 1.0
    assert parts["seen"].value == "2020-01-02T00:00:00"
    assert told.base + sum(each.contribution for each in told.columns) == pytest.approx(told.prediction)


def test_a_model_explains_itself_from_its_file(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", ("logistic", "lightgbm"))
    finish(table, tmp_path, records)
    model = Model.load(tmp_path / "champion" / "model.onnx")
    row = customers().row(0, named=True)
    told = model.explain(row)
    assert {each.column for each in told.columns} == {"age", "income", "region", "member"}
    assert told.prediction == pytest.approx(model.predict_proba([row]).max())
    assert told.base + sum(each.contribution for each in told.columns) == pytest.approx(told.prediction)


def test_a_file_without_a_background_says_so() -> None:
    model = numbers(lambda feeds: feeds["a"].ravel())
    model._known.clear()
    with pytest.raises(ContractError, match="no background"):
        contributions(model, {"a": 1.0, "b": 1.0, "c": 1.0})
