from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from flowml.storage.canonical import settle
from flowml.storage.errors import EmptyFile, FileTooLarge
from flowml.storage.reading import Reading, typed_reading

TYPES: dict[str, tuple[pl.Series, pl.DataType]] = {
    "small integers": (pl.Series([1, 2], dtype=pl.Int8), pl.Int64()),
    "unsigned": (pl.Series([1, 2], dtype=pl.UInt32), pl.Int64()),
    "beyond Int64": (pl.Series([2**63 + 1, 1], dtype=pl.UInt64), pl.Float64()),
    "short floats": (pl.Series([1.5, 2], dtype=pl.Float32), pl.Float64()),
    "decimals": (pl.Series([Decimal("1.50"), Decimal("2.25")]), pl.Float64()),
    "categories": (pl.Series(["1", "x"], dtype=pl.Categorical()), pl.String()),
    "enums": (pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])), pl.String()),
    "nanoseconds": (pl.Series([dt.datetime(2020, 1, 1)] * 2, dtype=pl.Datetime("ns")), pl.Datetime("us")),
    "zones": (
        pl.Series([dt.datetime(2020, 1, 1)] * 2, dtype=pl.Datetime("ms", "Europe/Berlin")),
        pl.Datetime("us", "UTC"),
    ),
    "durations": (pl.Series([dt.timedelta(1)] * 2, dtype=pl.Duration("ms")), pl.Duration("us")),
    "lists": (pl.Series([[1], [2]]), pl.List(pl.Int64())),
}


@pytest.mark.parametrize("kind", TYPES)
def test_few_types_remain(kind: str) -> None:
    column, expected = TYPES[kind]
    settled = settle(typed_reading(pl.DataFrame({"x": column})))
    assert settled.frame.schema == {"x": expected}
    assert settled.frame.height == 2


def test_not_a_number_is_missing() -> None:
    settled = settle(typed_reading(pl.DataFrame({"x": [1.0, float("nan"), None]})))
    assert settled.frame["x"].to_list() == [1.0, None, None]


@pytest.mark.parametrize("dtype", [pl.Date(), pl.Datetime("ms"), pl.Datetime("us", "UTC"), pl.Datetime("ns")])
def test_dates_that_python_does_not_know_are_missing(dtype: pl.DataType) -> None:
    column = pl.Series([0, 2_000_000_000, -2_000_000_000], dtype=pl.Int64)
    per_day = 1 if dtype == pl.Date else 86_400_000
    settled = settle(typed_reading(pl.DataFrame({"x": (column * per_day).cast(dtype, strict=False)})))
    known = [value for value in settled.frame["x"].to_list() if value is not None]
    assert known
    assert all(1 <= value.year <= 9999 for value in known)


def test_records_become_columns_and_names_stay_unique() -> None:
    frame = pl.DataFrame({"a": [{"x": 1, "y": "u"}, {"x": 2, "y": "v"}], "a.x": [5, 6]})
    settled = settle(typed_reading(frame))
    assert settled.frame.columns == ["a.x", "a.y", "a.x_2"]
    assert [finding.column for finding in settled.findings] == ["a.x_2"]


def test_a_column_without_name_and_values_is_left_out() -> None:
    reading = Reading(
        pl.DataFrame({"0": ["1", "2"], "1": ["", " "], "2": ["", ""]}), ("a", "", "b"), typed=False
    )
    settled = settle(reading)
    assert settled.frame.columns == ["a", "b"]
    assert settled.findings == ()
    assert settled.frame["b"].to_list() == [None, None]


def test_how_a_column_was_read_is_noted() -> None:
    settled = settle(
        Reading(pl.DataFrame({"0": ["1", " ", "3"], "1": ["x", "y", "z"]}), ("n", "w"), typed=False)
    )
    assert settled.notes == {"n": "1 cell with only blanks taken as missing"}


def test_tables_without_rows_cells_or_measure_are_refused() -> None:
    with pytest.raises(EmptyFile, match="no rows"):
        settle(typed_reading(pl.DataFrame({"a": []})))
    with pytest.raises(EmptyFile, match="no cell"):
        settle(typed_reading(pl.DataFrame({"a": [None, None]})))
    with pytest.raises(FileTooLarge, match="10,001 columns"):
        settle(typed_reading(pl.DataFrame([pl.Series(str(n), [1]) for n in range(10_001)])))
