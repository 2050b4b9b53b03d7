from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from flowml.storage.dates import as_dates

UTC = dt.UTC
DAY = dt.date(2020, 3, 25)

WRITTEN: dict[str, object] = {
    "2020-03-25": DAY,
    "2020-3-25": DAY,
    "2020/03/25": DAY,
    "2020.03.25": DAY,
    "25.03.2020": DAY,
    "25.3.20": DAY,
    "03/25/2020": DAY,
    "25/03/2020": DAY,
    "3/25/20": DAY,
    "25-03-2020": DAY,
    "25 Mar 2020": DAY,
    "25-Mar-2020": DAY,
    "25-MAR-20": DAY,
    "25 March 2020": DAY,
    "Mar 25, 2020": DAY,
    "March 25, 2020": DAY,
    "2020-03-25 14:30": dt.datetime(2020, 3, 25, 14, 30),
    "2020-03-25T14:30:05": dt.datetime(2020, 3, 25, 14, 30, 5),
    "2020-03-25 14:30:05.250": dt.datetime(2020, 3, 25, 14, 30, 5, 250_000),
    "2020-03-25T14:30:05Z": dt.datetime(2020, 3, 25, 14, 30, 5, tzinfo=UTC),
    "2020-03-25 14:30:05+02:00": dt.datetime(2020, 3, 25, 12, 30, 5, tzinfo=UTC),
    "2020-03-25T14:30:05.5-0500": dt.datetime(2020, 3, 25, 19, 30, 5, 500_000, tzinfo=UTC),
    "25.03.2020 14:30": dt.datetime(2020, 3, 25, 14, 30),
    "3/25/2020 2:30 PM": dt.datetime(2020, 3, 25, 14, 30),
    "3/25/2020 2:30:05 pm": dt.datetime(2020, 3, 25, 14, 30, 5),
    "25/03/2020, 14:30": dt.datetime(2020, 3, 25, 14, 30),
    "20200325T143005": dt.datetime(2020, 3, 25, 14, 30, 5),
    "14:30": dt.time(14, 30),
    "14:30:05": dt.time(14, 30, 5),
    "2:30 PM": dt.time(14, 30),
}


def settle(values: list[str | None]) -> pl.Series | None:
    found = as_dates(pl.Series(values), [value for value in values if value is not None])
    return found and found[0]


@pytest.mark.parametrize("written", WRITTEN)
def test_common_ways_of_writing_are_read(written: str) -> None:
    settled = settle([written, None, written])
    assert settled is not None
    assert settled.to_list() == [WRITTEN[written], None, WRITTEN[written]]


@pytest.mark.parametrize(
    "written", ["hello", "12", "1.2.3.4", "2020", "99:99", "2020-13-45", "31/31/2020", "v1-2-3"]
)
def test_other_text_stays_text(written: str) -> None:
    assert settle([written] * 5) is None


def test_ways_may_mix_within_a_column() -> None:
    settled = settle(["2020-03-25", "2020-03-26 10:00", "2020-03-27 10:00:00.5"])
    assert settled is not None
    assert settled.dtype == pl.Datetime("us")
    assert settled.null_count() == 0


def test_few_strays_become_missing_and_many_keep_the_column_text() -> None:
    dates = [f"2020-03-{day:02}" for day in range(1, 31)] * 4
    found = as_dates(pl.Series([*dates, "soon"]), [*dates, "soon"])
    assert found is not None
    assert found[0].null_count() == 1
    assert "1 other values became missing" in found[1]
    assert settle([*dates, *["soon"] * 20]) is None


def test_day_and_month_are_told_apart_by_what_parses_then_by_order() -> None:
    by_parsing = settle(["01/02/2020", "25/02/2020"])
    assert by_parsing is not None
    assert by_parsing.to_list() == [dt.date(2020, 2, 1), dt.date(2020, 2, 25)]
    by_order = settle(["01/02/2020", "02/02/2020", "01/03/2020"])
    assert by_order is not None
    assert by_order.to_list() == [dt.date(2020, 2, 1), dt.date(2020, 2, 2), dt.date(2020, 3, 1)]
    found = as_dates(pl.Series(["02/03/2020", "01/04/2020"]), ["02/03/2020", "01/04/2020"])
    assert found is not None
    assert "read as day/month" in found[1]
