from __future__ import annotations

import datetime as dt
import json
import math

import polars as pl
import pytest

from flowml.storage.statistics import describe


def test_numbers_are_described_over_what_is_known_and_finite() -> None:
    found = describe(pl.Series([1.0, 2.0, None, 3.0, math.inf]))
    assert (found.missing, found.unique, found.minimum, found.maximum) == (1, 4, 1.0, 3.0)
    assert (found.mean, found.median, found.std) == (2.0, 2.0, 1.0)
    assert sum(found.histogram) == 3


def test_the_histogram_has_equal_bins_from_minimum_to_maximum() -> None:
    found = describe(pl.Series(range(200)))
    assert found.histogram == (10,) * 20
    assert describe(pl.Series([1e308, -1e308])).histogram[0] == 1
    assert describe(pl.Series([5, 5])).histogram == ()


def test_words_have_top_values_most_frequent_first() -> None:
    found = describe(pl.Series(["b", "a", "c", "a", None, "b", "a"]))
    assert (found.top, found.top_counts) == (("a", "b", "c"), (3, 2, 1))
    assert (found.missing, found.unique, found.mean_length) == (1, 3, 1.0)
    assert describe(pl.Series([str(n) for n in range(100)])).top == ()
    assert len(describe(pl.Series([str(n % 50) for n in range(100)])).top) == 20


def test_dates_have_a_range_as_text() -> None:
    found = describe(pl.Series([dt.date(2020, 1, 1), dt.date(2020, 1, 3), None]))
    assert (found.minimum, found.maximum, found.unique) == ("2020-01-01", "2020-01-03", 2)
    assert sum(found.histogram) == 2


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([], dtype=pl.Float64),
        pl.Series([None, None], dtype=pl.String),
        pl.Series([math.inf, -math.inf, math.nan]),
        pl.Series([[1], [2]]),
        pl.Series([b"x", None]),
        pl.Series([True, None, False]),
        pl.Series([dt.timedelta(1), dt.timedelta(2)]),
        pl.Series([dt.time(1), dt.time(2)]),
        pl.Series([dt.datetime(2020, 1, 1, tzinfo=dt.UTC)]),
        pl.Series([2**62, -(2**62)]),
    ],
    ids=lambda column: str(column.dtype),
)
def test_every_type_is_described_in_plain_json(column: pl.Series) -> None:
    found = describe(column)
    assert found.missing == column.null_count()
    json.dumps(vars(found), allow_nan=False)
