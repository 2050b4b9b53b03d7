"""Frames and rows through the contract."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings

from flowml.automl.contract import MISSING_DATE, Contract, Feeds, Kind, Warnings
from flowml.automl.problem import Feature
from flowml.storage.errors import ContractError, DataError
from flowml.storage.records import Role, Task


def equal(one: Feeds, other: Feeds) -> bool:
    return one.keys() == other.keys() and all(
        a.dtype == other[name].dtype and np.array_equal(a, other[name], equal_nan=a.dtype.kind == "f")
        for name, a in one.items()
    )


def told(warnings: Warnings, column: str) -> str:
    return "; ".join(w.message for w in warnings if w.column == column)


def test_learns_what_training_saw(contract: Contract, mixed: pl.DataFrame) -> None:
    kinds = [column.kind.value for column in contract.columns]
    assert kinds == ["number"] * 3 + ["string"] * 2 + ["datetime"] * 2 + ["text"]
    city, age = contract.column("city"), contract.column("age")
    assert city is not None
    assert age is not None
    assert city.categories[:1] == ("Berlin",)
    assert city.missing_share == pytest.approx(mixed["city"].null_count() / mixed.height)
    assert (age.minimum, age.maximum, age.missing_share) == (mixed["age"].min(), mixed["age"].max(), 0.0)
    assert contract.example["city"] == "Berlin"


def test_comes_back_equal_from_json(contract: Contract) -> None:
    assert Contract.from_dict(json.loads(json.dumps(contract.to_dict()))) == contract


def test_the_training_table_holds_no_surprise(contract: Contract, mixed: pl.DataFrame) -> None:
    feeds, warnings = contract.accept(mixed)
    assert list(warnings) == []
    assert {name: (v.dtype.kind, v.shape) for name, v in feeds.items()} == {
        **dict.fromkeys(("age", "income", "member"), ("f", (300, 1))),
        **dict.fromkeys(("city", "plan", "note"), ("O", (300, 1))),
        **dict.fromkeys(("joined", "seen"), ("i", (300, 1))),
    }


def test_its_example_holds_no_surprise(contract: Contract) -> None:
    assert list(contract.accept(contract.example)[1]) == []


def test_rows_frames_and_tables_of_other_libraries_feed_the_same(
    contract: Contract, mixed: pl.DataFrame
) -> None:
    feeds, _ = contract.accept(mixed)
    assert equal(feeds, contract.accept(mixed.to_dicts())[0])
    assert equal(feeds, contract.accept(mixed.to_arrow())[0])
    assert equal(feeds, contract.accept(mixed.to_pandas())[0])
    for number, row in enumerate(mixed.head(20).to_dicts()):
        assert equal({k: v[number : number + 1] for k, v in feeds.items()}, contract.accept_row(row)[0])


def test_pandas_columns_of_mixed_types_are_read_value_by_value(contract: Contract) -> None:
    frame = pd.DataFrame(
        {"age": [1, "2", None], "city": ["Bonn", 3, None], "joined": ["2020-01-01", 5, pd.NaT]}
    )
    feeds, warnings = contract.accept(frame)
    assert feeds["age"].ravel()[:2].tolist() == [1.0, 2.0]
    assert feeds["city"].ravel().tolist() == ["Bonn", "3", ""]
    assert feeds["joined"].ravel()[1:].tolist() == [MISSING_DATE, MISSING_DATE]
    assert "no date" in told(warnings, "joined")


def test_types_of_pandas_are_understood(contract: Contract) -> None:
    frame = pd.DataFrame(
        {
            "age": pd.array([30, 40, None], dtype="Int64"),
            "member": pd.array([True, None, False], dtype="boolean"),
            "city": pd.Categorical(["Bonn", None, "Berlin"]),
            "plan": pd.Series(["free", "pro", "plus"], dtype="string"),
            "joined": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
            "seen": pd.to_datetime(["2020-01-01", None, "2020-01-03"]).tz_localize("Europe/Berlin"),
            "income": np.array([1.5, np.nan, np.inf]),
        }
    )
    feeds, warnings = contract.accept(frame)
    assert feeds["age"].ravel()[:2].tolist() == [30.0, 40.0]
    assert feeds["member"].ravel()[[0, 2]].tolist() == [1.0, 0.0]
    assert feeds["city"].ravel().tolist() == ["Bonn", "", "Berlin"]
    assert feeds["plan"].ravel().tolist() == ["free", "pro", "plus"]
    assert feeds["joined"].ravel().tolist() == [1_577_836_800, MISSING_DATE, 1_578_009_600]
    assert feeds["seen"].ravel().tolist() == [1_577_833_200, MISSING_DATE, 1_578_006_000]
    assert np.isnan(feeds["income"].ravel()[1:]).all()
    assert {w.column for w in warnings} == {"age", "joined", "seen", "income", "note"}


SURPRISES: list[tuple[str, Any, str]] = [
    ("age", "12", "text read as a number"),
    ("age", "twelve", "no number"),
    ("age", None, "never was"),
    ("age", float("inf"), "infinite"),
    ("age", 1e300, "beyond"),
    ("age", True, "true and false"),
    ("member", "yes", ""),
    ("member", 1, ""),
    ("income", None, ""),
    ("city", "Atlantis", "not seen"),
    ("city", " Bonn ", ""),
    ("city", "nan", ""),
    ("city", 5, "not seen"),
    ("plan", None, "never was"),
    ("plan", True, "not seen"),
    ("joined", "2024-02-29", ""),
    ("joined", "2023-02-29", "no date"),
    ("joined", "2024-02-29T10:00:00+05:30", "time zone"),
    ("joined", 1_700_000_000, "no date"),
    ("seen", None, ""),
    ("note", 17, ""),
    ("note", ["a"], "no text"),
]


@pytest.mark.parametrize(("column", "value", "message"), SURPRISES)
def test_each_surprise_has_a_defined_answer(
    contract: Contract, column: str, value: Any, message: str
) -> None:
    row = {**contract.example, column: value}
    feeds, warnings = contract.accept(row)
    assert (message in told(warnings, column)) if message else list(warnings) == []
    assert all(w.row == 0 and w.rows == 1 for w in warnings)
    both, again = contract.accept([contract.example, row])
    assert equal({k: v[1:] for k, v in both.items()}, feeds)
    assert [w.message for w in again] == [w.message for w in warnings]
    assert [w.row for w in again] == [1 for _ in warnings]


def test_warnings_name_row_and_column(contract: Contract) -> None:
    rows = [{**contract.example, "city": city} for city in ("Bonn", "Oz", "Berlin", "Oz")]
    _, warnings = contract.accept(rows)
    assert str(warnings[0]) == "row 1, city: category 'Oz' was not seen in training (and 1 more rows)"
    assert warnings.per_row(4) == ["", unseen := "city: category 'Oz' was not seen in training", "", unseen]


def test_columns_may_be_reordered_missing_or_too_many(contract: Contract, mixed: pl.DataFrame) -> None:
    changed = mixed.select(reversed(mixed.columns)).drop("city").with_columns(pl.lit(1).alias("weight"))
    feeds, warnings = contract.accept(changed)
    assert list(feeds) == [column.name for column in contract.columns]
    assert set(feeds["city"].ravel()) == {""}
    assert [(w.column, w.message.split(":")[0]) for w in warnings] == [
        ("city", "the column did not come"),
        ("weight", "not known to the model"),
    ]
    assert warnings.per_row(mixed.height) == [""] * mixed.height
    assert equal(contract.accept(changed.row(0, named=True))[0], {k: v[:1] for k, v in feeds.items()})


def test_the_target_may_come_along(contract: Contract, mixed: pl.DataFrame) -> None:
    assert list(contract.accept(mixed.with_columns(pl.lit("yes").alias("churn")))[1]) == []
    assert list(contract.accept({**contract.example, "churn": "yes"})[1]) == []


@pytest.mark.parametrize("rows", [[], pl.DataFrame(), pd.DataFrame({"age": []}), pl.DataFrame({"age": []})])
def test_no_rows_are_no_trouble(contract: Contract, rows: Any) -> None:
    feeds, _ = contract.accept(rows)
    assert {len(values) for values in feeds.values()} == {0}


@pytest.mark.parametrize(
    "rows",
    [
        "text",
        17,
        None,
        [1, 2],
        [{"age": 1}, None],
        {},
        {"weight": 1},
        pl.DataFrame({"weight": [1]}),
        pd.DataFrame([[1, 2]], columns=["age", "age"]),
    ],
)
def test_what_is_no_fit_at_all_is_refused_with_advice(contract: Contract, rows: Any) -> None:
    with pytest.raises(ContractError) as caught:
        contract.accept(rows)
    assert caught.value.advice


def test_time_zones_of_a_frame_are_converted(contract: Contract, mixed: pl.DataFrame) -> None:
    zoned = mixed.with_columns(pl.col("seen").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"))
    feeds, warnings = contract.accept(zoned)
    assert np.array_equal(feeds["seen"], contract.accept(mixed)[0]["seen"])
    assert told(warnings, "seen") == "converted from time zone Asia/Tokyo to UTC"


def test_whole_columns_of_another_type(contract: Contract, mixed: pl.DataFrame) -> None:
    as_text = mixed.with_columns(pl.col("age", "income").cast(pl.String), pl.col("joined").cast(pl.String))
    assert equal(contract.accept(as_text)[0], contract.accept(mixed)[0])
    as_boolean = mixed.with_columns(pl.col("age") > 50, pl.lit(None).alias("plan"))
    feeds, warnings = contract.accept(as_boolean)
    assert set(feeds["age"].ravel()) == {0.0, 1.0}
    assert "true and false" in told(warnings, "age")
    assert "never was" in told(warnings, "plan")


def test_the_number_of_warnings_is_capped_and_the_rest_counted(contract: Contract) -> None:
    _, warnings = contract.accept(
        pl.DataFrame({"age": [1] * 300, "city": [f"place {n}" for n in range(300)]})
    )
    assert len(warnings) == 100
    assert warnings.left_out == warnings.total - 100 > 200
    _, few = contract.accept(pl.DataFrame({"age": [1] * 3000, "city": [f"place {n}" for n in range(3000)]}))
    assert few.total < 20
    assert all(few.per_row(3000))


def test_a_column_called_like_an_output_gets_another_input() -> None:
    frame = pl.DataFrame({"label": [1.0], "prediction": ["x"], "label_": [2.0]})
    features = [
        Feature(n, Role.NUMERIC if n != "prediction" else Role.CATEGORICAL, "") for n in frame.columns
    ]
    contract = Contract.learn(frame, features, task=Task.REGRESSION)
    assert [column.feed for column in contract.columns] == ["label__", "prediction_", "label_"]
    assert list(contract.accept(frame)[0]) == ["label__", "prediction_", "label_"]


ROLES = [
    (Role.NUMERIC, ["1", "2,5"], Kind.NUMBER),
    (Role.CATEGORICAL, [1, 2], Kind.STRING),
    (Role.CATEGORICAL, [1.0, 2.5], Kind.STRING),
    (Role.CATEGORICAL, [True, False], Kind.STRING),
    (Role.BOOLEAN, ["yes", "no"], Kind.STRING),
    (Role.DATETIME, ["2020-01-01", None], Kind.DATETIME),
    (Role.DATETIME, [2020, 2021], Kind.NUMBER),
    (Role.NUMERIC, [dt.date(2020, 1, 1)], Kind.DATETIME),
    (Role.TEXT, [1, 2], Kind.TEXT),
    (Role.NUMERIC, [dt.timedelta(1)], Kind.NUMBER),
    (Role.NUMERIC, [dt.time(1)], Kind.NUMBER),
    (Role.NUMERIC, [None, None], Kind.NUMBER),
]


@pytest.mark.parametrize(("role", "values", "kind"), ROLES)
def test_a_role_that_a_user_chose_is_followed_where_it_can_be(
    role: Role, values: list[Any], kind: Kind
) -> None:
    frame = pl.DataFrame({"x": values})
    contract = Contract.learn(frame, [Feature("x", role, "")], task=Task.BINARY)
    assert contract.columns[0].kind is kind
    feeds, warnings = contract.accept(frame)
    assert not any("missing" in w.message for w in warnings)
    assert equal(feeds, contract.accept(frame.to_dicts())[0])


def test_lists_in_cells_cannot_be_learned_from() -> None:
    with pytest.raises(DataError, match="'x' holds List"):
        Contract.learn(pl.DataFrame({"x": [[1]]}), [Feature("x", Role.NUMERIC, "list")], task=Task.BINARY)


# --- any value at all -------------------------------------------------------------------------------------

CELLS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.datetimes()
    | st.datetimes(timezones=st.just(dt.timezone(dt.timedelta(hours=-3))))
    | st.dates()
    | st.decimals()
    | st.binary(max_size=4)
    | st.lists(st.integers(), max_size=2)
    | st.sampled_from(["12", " 1.5", "1,5", "yes", "Bonn", "nan", "2024-02-29", "free", "inf"])
)
NAMES = ["age", "income", "member", "city", "plan", "joined", "seen", "note"]


@settings(max_examples=300, deadline=None)
@given(row=st.dictionaries(st.sampled_from([*NAMES, "extra"]), CELLS))
def test_any_row_is_answered_and_alike_in_every_form(contract: Contract, row: dict[str, Any]) -> None:
    if not row.keys() & set(NAMES):
        row = {**row, "age": 1}
    feeds, warnings = contract.accept_row(row)
    many, again = contract.accept([row, row])
    assert equal({k: v[1:] for k, v in many.items()}, feeds)
    assert [(w.column, w.message) for w in again] == [(w.column, w.message) for w in warnings]
    for column in contract.columns:
        assert np.asarray(feeds[column.feed]).shape == (1, 1)


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.floats() | st.none(), min_size=1, max_size=5))
def test_series_and_lists_of_numbers_agree(contract: Contract, values: list[float | None]) -> None:
    series = pl.DataFrame({"age": pl.Series(values, dtype=pl.Float64)})
    assert equal(contract.accept(series)[0], contract.accept([{"age": v} for v in values])[0])


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.text(st.characters(codec="utf-8"), max_size=5) | st.none(), min_size=1, max_size=5))
def test_series_and_lists_of_texts_agree(contract: Contract, values: list[str | None]) -> None:
    for column in ("city", "age", "joined", "note"):
        series = pl.DataFrame({column: pl.Series(values, dtype=pl.String)})
        assert equal(contract.accept(series)[0], contract.accept([{column: v} for v in values])[0])


# --- categories that mean the same ------------------------------------------------------------------------

SPELLINGS: list[tuple[list[Any], Any, str, str]] = [
    (["1", "2"], "1.0", "1", "read as"),
    (["1.50", "2"], 1.5, "1.50", "read as"),
    (["1", "2"], 2, "2", ""),
    (["yes", "no"], True, "yes", ""),
    (["yes", "no"], 0, "no", ""),
    (["yes", "no"], "TRUE", "yes", "read as"),
    (["True", "False", "maybe"], True, "True", ""),
    (["1", "1.0"], "01", "01", "not seen"),
    (["yes", "y", "no"], True, "true", "not seen"),
]


@pytest.mark.parametrize(("categories", "value", "stored", "message"), SPELLINGS)
def test_other_spellings_of_a_category_are_known(
    categories: list[Any], value: Any, stored: str, message: str
) -> None:
    frame = pl.DataFrame({"x": categories})
    contract = Contract.learn(frame, [Feature("x", Role.CATEGORICAL, "string")], task=Task.BINARY)
    feeds, warnings = contract.accept({"x": value})
    assert feeds["x"][0, 0] == stored
    assert (message in told(warnings, "x")) if message else list(warnings) == []


def test_names_that_differ_in_blanks_and_fields_of_records_are_found() -> None:
    frame = pl.DataFrame({"a": [{"x": 1.0, "y": "u"}], " b ": [2.0]})
    features = [
        Feature("a.x", Role.NUMERIC, ""),
        Feature("a.y", Role.CATEGORICAL, ""),
        Feature("b", Role.NUMERIC, ""),
    ]
    learned = Contract.learn(
        pl.DataFrame({"a.x": [1.0], "a.y": ["u"], "b": [2.0]}), features, task=Task.BINARY
    )
    for rows in (frame, frame.to_dicts(), frame.to_dicts()[0], frame.to_arrow()):
        feeds, warnings = learned.accept(rows)
        assert [feeds[name][0, 0] for name in ("a.x", "a.y", "b")] == [1.0, "u", 2.0]
        assert list(warnings) == []


def test_the_ordinary_row_is_no_surprise_where_dates_have_a_time_zone() -> None:
    moments = [dt.datetime(2021, 8, day, 8, 5, 57, tzinfo=dt.UTC) for day in (1, 2, 3)]
    frame = pl.DataFrame({"at": moments})
    contract = Contract.learn(frame, [Feature("at", Role.DATETIME, "datetime")], task=Task.REGRESSION)
    assert contract.example == {"at": "2021-08-02T08:05:57Z"}
    feeds, warnings = contract.accept_row(contract.example)
    assert list(warnings) == []
    assert feeds["at"][0, 0] == moments[1].timestamp()
