"""Drift is told where the rows come from elsewhere, and never where chance explains the difference."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from flowml.storage import drift
from flowml.storage.drift import Comparison, compare, reference, reference_of
from flowml.storage.records import ColumnDrift, DriftReference, DriftSummary, Role, Severity
from flowml.storage.schema import infer


def table(rows: int, seed: int, **more: Any) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    columns = {
        "amount": chance.gamma(2, 50, rows),
        "flag": chance.random(rows) < 0.02,
        "count": chance.poisson(1.5, rows),
        "city": chance.choice(["Ulm", "Bonn", "Kiel"], rows, p=[0.6, 0.3, 0.1]),
        "street": chance.choice([f"street {n}" for n in range(400)], rows),
        "day": np.datetime64("2024-01-01", "us")
        + chance.integers(0, 300, rows) * np.timedelta64(86_400, "s"),
        "remark": [" ".join(chance.choice(["good", "bad", "late", "early"], 12)) for _ in range(rows)],
    }
    return pl.DataFrame(columns | more)


def drift_of(summary: DriftSummary, column: str) -> ColumnDrift:
    return next(each for each in summary.columns if each.column == column)


@pytest.mark.parametrize("rows", [30, 300, 5000])
def test_rows_of_the_same_origin_have_not_drifted(rows: int) -> None:
    before = reference(table(3000, 1))
    for seed in range(2, 12):
        summary = compare(before, table(rows, seed))
        assert [(each.column, each.message) for each in summary.drifted] == []


def test_what_has_shifted_is_told() -> None:
    before = reference(table(3000, 1))
    later = table(1000, 2, amount=np.random.default_rng(0).gamma(2, 80, 1000), city="Ulm")
    summary = compare(before, later)
    assert {each.column for each in summary.drifted} == {"amount", "city"}
    assert drift_of(summary, "amount").severity is Severity.WARNING
    assert "PSI" in drift_of(summary, "amount").message
    assert summary.columns[0].severity is Severity.WARNING


def test_new_words_gaps_and_lost_columns_are_told() -> None:
    frame = table(2000, 1)
    later = table(1000, 2).drop("day")
    later = later.with_columns(
        city=pl.when(pl.int_range(pl.len()) < 30).then(pl.lit("Jena")).otherwise("city"),
        amount=pl.when(pl.int_range(pl.len()) < 700).then("amount"),
    )
    summary = compare(reference(frame), later)
    city, amount = drift_of(summary, "city"), drift_of(summary, "amount")
    assert (city.new_values, city.new_rows) == (("Jena",), 30)
    assert "'Jena'" in city.message
    assert (amount.missing_now, amount.severity) == (0.3, Severity.WARNING)
    assert summary.absent == ("day",)


def test_later_dates_are_only_a_note() -> None:
    frame = table(2000, 1)
    later = frame.with_columns(pl.col("day") + pl.duration(days=400))
    day = drift_of(compare(reference(frame), later), "day")
    assert (day.severity, day.outside) == (Severity.NOTE, 2000)


def test_one_row_is_called_one() -> None:
    before = reference(table(300, 1))
    summary = compare(before, table(1, 2, amount=1e9, city="Jena"))
    assert drift_of(summary, "amount").message.startswith("1 row below or above")
    assert drift_of(summary, "city").message.startswith("1 row with values")


def test_pieces_sum_up_to_the_whole() -> None:
    before, later = reference(table(1000, 1)), table(700, 2, city="Ulm")
    pieces = Comparison(before)
    for piece in later.iter_slices(97):
        pieces.add(piece)
    assert pieces.summary() == compare(before, later)


def test_it_does_not_matter_as_which_type_the_rows_come() -> None:
    frame = table(1000, 1, code=pl.Series(np.arange(1000) % 5))
    before = reference(frame, {"code": Role.CATEGORICAL})
    written = frame.with_columns(
        pl.col("amount", "day", "flag").cast(pl.String), pl.col("code").cast(pl.Float64)
    )
    assert [(each.column, each.message) for each in compare(before, written).drifted] == []


def test_columns_that_name_rows_are_not_compared() -> None:
    frame = table(100, 1, id=pl.Series(range(100)))
    names = {each.name for each in reference(frame, {"id": Role.IDENTIFIER, "city": Role.IGNORED}).columns}
    assert names == {"amount", "flag", "count", "street", "day", "remark"}


def test_the_reference_is_small_and_travels_as_json() -> None:
    before = reference(table(3000, 1))
    text = json.dumps(before.to_dict(), allow_nan=False)
    assert len(text) < 10_000
    back = DriftReference.from_dict(json.loads(text))
    assert back == before
    summary = compare(back, table(50, 2))
    assert DriftSummary.from_dict(json.loads(json.dumps(summary.to_dict(), allow_nan=False))) == summary


def test_the_statistics_of_a_dataset_serve_where_nothing_was_measured() -> None:
    frame = table(2000, 1).drop("remark", "street")
    before = reference_of(infer(frame))
    assert {each.name for each in before.columns} == set(frame.columns)
    assert compare(before, table(1000, 2)).drifted == ()
    later = compare(before, table(1000, 2, amount=500.0, city="Jena"))
    assert {each.column for each in later.drifted} == {"amount", "city"}


def test_times_of_the_day_and_durations_have_no_statistics_to_compare() -> None:
    opens = [dt.time(8, row % 60) for row in range(300)]
    took = [dt.timedelta(seconds=row) for row in range(300)]
    with_them = reference_of(infer(table(300, 1, opens=opens, took=took)))
    assert with_them.columns == reference_of(infer(table(300, 1))).columns


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("a", [], dtype=pl.Float64),
        pl.Series("a", [None] * 5, dtype=pl.String),
        pl.Series("a", [math.nan, math.inf, 1.0, None, -math.inf]),
        pl.Series("a", [dt.time(1)] * 5),
        pl.Series("a", [dt.timedelta(1)] * 5),
        pl.Series("a", [dt.date(2020, 1, 1)] * 5),
        pl.Series("a", [True] * 5),
        pl.Series("a", [2**62, -(2**62), 0, 1, 2]),
        pl.Series("a", ["x" * 5000] * 5),
        pl.Series("a", [[1]] * 5),
    ],
    ids=lambda column: str(column.dtype),
)
def test_every_type_can_be_compared_with_every_other(column: pl.Series) -> None:
    frame = column.to_frame()
    for other in (frame, pl.DataFrame({"a": ["?", None, "2020-01-01", "1", ""]}), pl.DataFrame({"b": [1]})):
        summary = compare(reference(frame), other)
        json.dumps(summary.to_dict(), allow_nan=False)


def test_the_measures_are_what_they_are_called() -> None:
    same, apart = np.array([50, 50]), np.array([0, 100])
    assert drift.stability_index(same, same) == pytest.approx(0)
    assert drift.jensen_shannon(np.array([100, 0]), apart) == pytest.approx(1)
    p, q = np.array([0.2, 0.8]), np.array([0.5, 0.5])
    expected = float(((q - p) * np.log(q / p)).sum())
    assert drift.stability_index(np.array([200_000, 800_000]), np.array([500_000, 500_000])) == pytest.approx(
        expected, abs=1e-4
    )
