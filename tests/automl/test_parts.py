"""Parts of a table are judged by rows that the models had not seen; what errs most is found, luck is not."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flowml.automl.blend import single
from flowml.automl.contract import Contract
from flowml.automl.fairness import FEWEST_ROWS, gaps
from flowml.automl.grouping import GAP, MOST_VALUES, RANGES, REST, Grouping, grouping
from flowml.automl.groups import Judged, by_group, measured, worst
from flowml.automl.metrics import Array
from flowml.automl.parts import parts_of
from flowml.automl.prepared import prepare
from flowml.automl.problem import Feature
from flowml.storage.records import JobSpec, Role, Task
from tests.automl.tables import TARGETS, customers, prepared, schema_of
from tests.automl.test_insight import later, tried

ROWS = 400


def grouped(values: pl.Series, role: Role, kind: str = "number") -> Grouping | None:
    contract = Contract.learn(values.to_frame(), [Feature(values.name, role, kind)], task=Task.REGRESSION)
    feeds, _ = contract.accept(values.to_frame())
    (column,) = contract.columns
    return grouping(column, feeds[column.feed])


def rows_in(groups: Grouping) -> list[int]:
    return [int((groups.codes == code).sum()) for code in range(len(groups.labels))]


def test_numbers_fall_into_ranges_of_about_as_many_rows() -> None:
    values = pl.Series("x", [None, *np.random.default_rng(0).normal(size=ROWS - 1)])
    found = grouped(values, Role.NUMERIC)
    assert found is not None
    assert (len(found.labels), found.labels[-1]) == (RANGES + 1, GAP)
    assert all(abs(rows - ROWS / RANGES) <= 2 for rows in rows_in(found)[:-1])
    assert rows_in(found)[-1] == 1
    assert " to " in found.labels[0]


def test_few_numbers_booleans_and_dates_are_named_as_they_are() -> None:
    few = grouped(pl.Series("few", [1, 2, 2, 5] * 10), Role.NUMERIC, "integer")
    flag = grouped(pl.Series("flag", [True, False] * 20), Role.BOOLEAN, "boolean")
    day = grouped(pl.Series("day", ["2024-01-01", "2024-02-01"] * 20).str.to_date(), Role.DATETIME, "date")
    assert few
    assert flag
    assert day
    assert (few.labels, rows_in(few)) == (("1", "2", "5"), [10, 20, 10])
    assert (flag.labels, flag.kind) == (("false", "true"), "boolean")
    assert (day.labels, day.kind) == (("2024-01-01", "2024-02-01"), "datetime")


def test_rare_categories_are_taken_together() -> None:
    names = ["often"] * 60 + [f"n{i % 10}" for i in range(40)] + [None] * 5
    found = grouped(pl.Series("c", names), Role.CATEGORICAL, "string")
    assert found is not None
    assert found.labels[0] == "often"
    assert found.labels[MOST_VALUES:] == (REST, GAP)
    assert sum(rows_in(found)) == len(names)


@pytest.mark.parametrize(
    ("values", "role"),
    [
        (pl.Series("one", [1.0] * 20), Role.NUMERIC),
        (pl.Series("each", [f"id {i}" for i in range(100)]), Role.CATEGORICAL),
        (pl.Series("words", ["some free text"] * 20), Role.TEXT),
    ],
)
def test_a_column_without_groups_has_none(values: pl.Series, role: Role) -> None:
    assert grouped(values, role, "string") is None


def binary(y: list[int], second: list[float]) -> Judged:
    shares = np.array(second)
    return Judged(Task.BINARY, "accuracy", np.array(y), np.column_stack([1 - shares, shares]))


def test_rates_of_two_classes_are_those_counted_by_hand() -> None:
    told = measured(binary([1, 1, 1, 0, 0], [0.9, 0.8, 0.2, 0.7, 0.1]))
    assert told["rows"] == 5
    assert told["error"] == pytest.approx(2 / 5)
    assert told["spread"] == pytest.approx(math.sqrt(0.24 / 5))
    assert told["score"] == pytest.approx(3 / 5)
    assert (told["actual"], told["predicted"]) == (0.6, 0.6)
    assert told["hit_rate"] == pytest.approx(2 / 3)
    assert told["false_alarms"] == pytest.approx(1 / 2)
    assert told["precision"] == pytest.approx(2 / 3)


def test_what_one_class_alone_cannot_tell_is_left_open() -> None:
    judged = binary([1, 1], [0.9, 0.3])
    told = measured(Judged(Task.BINARY, "roc_auc", judged.y, judged.prediction))
    assert (told["score"], told["false_alarms"]) == (None, None)
    assert told["hit_rate"] == 0.5


def test_a_threshold_decides_what_is_answered() -> None:
    judged = binary([1, 0], [0.4, 0.2])
    assert measured(judged)["hit_rate"] == 0.0
    lower = Judged(judged.task, judged.metric, judged.y, judged.prediction, threshold=0.3)
    assert measured(lower)["hit_rate"] == 1.0


def test_a_regression_is_judged_by_its_residuals() -> None:
    told = measured(Judged(Task.REGRESSION, "mae", np.array([1.0, 5.0]), np.array([2.0, 3.0])))
    assert (told["error"], told["residual"], told["score"]) == (1.5, 0.5, 1.5)


def columns_of(draw: np.random.Generator) -> tuple[Grouping, Grouping, Grouping]:
    def of(name: str, labels: tuple[str, ...]) -> Grouping:
        return Grouping(name, "category", labels, draw.integers(0, len(labels), ROWS))

    return of("city", ("a", "b", "c")), of("plan", ("x", "y")), of("noise", ("1", "2", "3", "4"))


def erring(where: Array, draw: np.random.Generator) -> Judged:
    wrong = draw.random(ROWS) < np.where(where, 0.6, 0.05)
    y = draw.integers(0, 2, ROWS)
    return Judged(Task.BINARY, "accuracy", y, np.eye(2)[np.where(wrong, 1 - y, y)])


def test_the_part_that_errs_is_found_and_named_first() -> None:
    draw = np.random.default_rng(1)
    city, plan, noise = columns_of(draw)
    judged = erring((city.codes == 1) & (plan.codes == 0), draw)
    first = worst(judged, (noise, city, plan))[0]
    assert first["where"] == [{"column": "city", "label": "b"}, {"column": "plan", "label": "x"}]
    assert first["error"] > 0.4 > 0.1 > first["rest"]
    assert first["surety"] > 3


def test_luck_is_no_finding() -> None:
    draw = np.random.default_rng(2)
    groupings = columns_of(draw)
    assert worst(erring(np.zeros(ROWS, bool), draw), groupings) == []


def test_gaps_compare_groups_that_are_large_enough() -> None:
    def group(label: str, rows: int, predicted: float) -> dict[str, object]:
        return {"label": label, "rows": rows, "predicted": predicted, "hit_rate": None, "error": 0.1}

    told = gaps(Task.BINARY, [group("f", 100, 0.2), group("m", 90, 0.5), group("few", FEWEST_ROWS - 1, 1.0)])
    shares = {each["measure"]: each for each in told}
    assert set(shares) == {"predicted", "error"}
    assert shares["predicted"]["gap"] == pytest.approx(0.3)
    assert shares["predicted"]["ratio"] == pytest.approx(0.4)
    assert shares["predicted"]["least"] == {"label": "f", "value": 0.2}
    assert shares["predicted"]["most"] == {"label": "m", "value": 0.5}
    assert gaps(Task.REGRESSION, [{"label": "a", "rows": 50, "residual": -1.0, "error": 1.0}]) == []


@pytest.mark.parametrize("target", TARGETS)
def test_columns_that_are_left_out_are_told_of_too(target: str, tmp_path: Path) -> None:
    frame = customers(300).drop([name for name in TARGETS if name != target])
    file = tmp_path / "t.parquet"
    frame.write_parquet(file)
    schema = schema_of(frame)
    table = prepare(file, schema, JobSpec(target, folds=3, roles={"region": Role.IGNORED}))
    record = tried(table, tmp_path, "lightgbm")
    blend = single(table, tmp_path, record)
    told = parts_of(table, blend, (), later())
    assert told is not None
    used = {each["column"]: each["used"] for each in told["columns"]}
    assert used == {"age": True, "income": True, "member": True, "region": False}
    assert told["whole"]["rows"] == told["rows"] == len(blend.oof)
    for each in told["columns"]:
        assert sum(group["rows"] for group in each["groups"]) == told["rows"]
        mean = sum(group["rows"] * group["error"] for group in each["groups"]) / told["rows"]
        assert mean == pytest.approx(told["whole"]["error"])
    region = next(each for each in told["columns"] if each["column"] == "region")
    assert {group["label"] for group in region["groups"]} == {"north", "south", "east", "west"}
    assert region["gaps"]


def test_without_time_no_part_is_told(tmp_path: Path) -> None:
    table = prepared(folds=2)
    record = tried(table, tmp_path, "logistic")
    assert parts_of(table, single(table, tmp_path, record), (), later(-1)) is None
    assert by_group(
        erring(np.zeros(ROWS, bool), np.random.default_rng(0)), columns_of(np.random.default_rng(0))[0]
    )
