"""What single values of any type become."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flowml.automl.contract.feeds import MISSING_DATE, MISSING_TOKENS
from flowml.automl.contract.values import FROM_COMMA, FROM_GROUPS, number, seconds, text
from flowml.storage.records import COMMA_DECIMALS, COMMA_THOUSANDS

NUMBERS: list[tuple[Any, float, str]] = [
    (12, 12.0, ""),
    (1.5, 1.5, ""),
    (np.float32(1.5), 1.5, ""),
    (np.int8(3), 3.0, ""),
    (Decimal("2.5"), 2.5, ""),
    ("12", 12.0, "text read as a number"),
    (" 12 ", 12.0, "text read as a number"),
    ("1e3", 1000.0, "text read as a number"),
    ("-.5", -0.5, "text read as a number"),
    ("1,5", 1.5, "decimal comma"),
    ("-1,25", -1.25, "decimal comma"),
    (True, 1.0, "true and false"),
    (dt.timedelta(minutes=2), 120.0, ""),
    (dt.time(1, 0), 3600.0, ""),
]
NO_NUMBERS: list[tuple[Any, str]] = [
    ("1,500", "could be two numbers"),
    ("1_000", "no number"),
    ("12 kg", "no number"),
    ("0x10", "no number"),
    ("١٢", "no number"),
    ("Infinity", "infinite"),
    (float("inf"), "infinite"),
    (Decimal("-Infinity"), "infinite"),
    (1e39, "beyond"),
    (10**400, "beyond"),
    ("1e400", "infinite"),
    ("12:30", "no number"),
    ([1], "no number"),
    ({"a": 1}, "no number"),
    (1j, "no number"),
    (dt.date(2026, 1, 1), "no number"),
]
NOTHING = [None, math.nan, np.float64("nan"), pd.NA, pd.NaT, np.datetime64("NaT", "s"), Decimal("nan")]


@pytest.mark.parametrize(("value", "expected", "told"), NUMBERS)
def test_what_can_be_meant_as_a_number_is_one(value: Any, expected: float, told: str) -> None:
    stored, message = number(value)
    assert stored == expected
    assert bool(message) == bool(told)
    assert told in message


@pytest.mark.parametrize(("value", "told"), NO_NUMBERS)
def test_what_is_no_number_is_missing_and_told(value: Any, told: str) -> None:
    stored, message = number(value)
    assert math.isnan(stored)
    assert told in message


@pytest.mark.parametrize("value", [*NOTHING, *MISSING_TOKENS])
def test_missing_is_missing_everywhere_without_a_remark(value: Any) -> None:
    assert math.isnan(number(value)[0])
    assert number(value)[1] == text(value)[1] == seconds(value)[1] == ""
    assert text(value)[0] == ""
    assert seconds(value)[0] == MISSING_DATE


def test_a_column_of_truth_values_reads_words() -> None:
    assert [number(word, "boolean") for word in ("Yes", "no", "TRUE", True)] == [
        (1.0, ""),
        (0.0, ""),
        (1.0, ""),
        (1.0, ""),
    ]


def test_a_column_of_times_reads_clocks() -> None:
    assert number("12:30", "time") == (45_000.0, "")


TEXTS: list[tuple[Any, str]] = [
    ("Berlin", "Berlin"),
    (" Berlin ", "Berlin"),
    ("   ", ""),
    (3, "3"),
    (3.0, "3"),
    (np.float64(3.0), "3"),
    (3.5, "3.5"),
    (True, "true"),
    (dt.date(2026, 1, 2), "2026-01-02"),
    (b"caf\xc3\xa9", "café"),
    ("a\0b", "a\0b"),
    ("\ud800x", "?x"),
]


@pytest.mark.parametrize(("value", "expected"), TEXTS)
def test_text_has_one_spelling(value: Any, expected: str) -> None:
    assert text(value) == (expected, "")


@pytest.mark.parametrize("value", [[1], {}, object(), 10**400])
def test_what_is_no_text_is_missing_and_told(value: Any) -> None:
    stored, message = text(value)
    assert stored == ""
    assert "missing" in message


DATES: list[tuple[Any, int, str]] = [
    ("1970-01-02", 86_400, ""),
    (" 1970-01-02 ", 86_400, ""),
    ("1970-01-01T00:01", 60, ""),
    ("1970-01-01 00:01:00.999", 60, ""),
    ("1970-01-01T00:00:00Z", 0, "time zone"),
    ("1970-01-01T02:00:00+02:00", 0, "time zone"),
    (dt.date(1970, 1, 2), 86_400, ""),
    (dt.datetime(1969, 12, 31, 23, 59, 59, 500_000), -1, ""),
    (pd.Timestamp("1970-01-02"), 86_400, ""),
    (np.datetime64("1970-01-02"), 86_400, ""),
    (dt.datetime(1970, 1, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))), 0, "time zone"),
]


@pytest.mark.parametrize(("value", "expected", "told"), DATES)
def test_dates_become_seconds_in_utc(value: Any, expected: int, told: str) -> None:
    stored, message = seconds(value)
    assert stored == expected
    assert bool(message) == bool(told)
    assert told in message


@pytest.mark.parametrize(
    "value", [0, 1.5, True, "yesterday", "02/03/2026", "99999-01-01", np.datetime64("99999"), []]
)
def test_what_is_no_date_is_missing_and_told(value: Any) -> None:
    stored, message = seconds(value)
    assert stored == MISSING_DATE
    assert "missing" in message


def test_a_zoned_column_remarks_dates_without_a_zone() -> None:
    assert seconds("1970-01-01T00:00:00Z", zoned=True) == (0, "")
    assert "UTC" in seconds("1970-01-01T00:00:00", zoned=True)[1]


def test_training_tells_what_a_comma_is_for() -> None:
    assert number("1,234", written=(COMMA_THOUSANDS,)) == (1234.0, FROM_GROUPS)
    assert number("1,234", written=(COMMA_DECIMALS,)) == (1.234, FROM_COMMA)
    assert math.isnan(number("1,5", written=(COMMA_THOUSANDS,))[0])


WRITTEN: list[tuple[str, str, str]] = [
    ("3/4/2020", "%d/%m/%Y", "2020-04-03"),
    ("3/4/2020", "%m/%d/%Y", "2020-03-04"),
    ("03.04.69", "%d.%m.%y", "2069-04-03"),
    ("3/4/2020 1:05 pm", "%m/%d/%Y %I:%M %p", "2020-03-04T13:05:00"),
    ("3/4/2020 1:05PM", "%m/%d/%Y %I:%M %p", "2020-03-04T13:05:00"),
    ("03.04.2020 10:00:00.5", "%d.%m.%Y %H:%M:%S%.f", "2020-04-03T10:00:00"),
    ("03.04.2020 10:00:00", "%d.%m.%Y %H:%M:%S%.f", "2020-04-03T10:00:00"),
]


@pytest.mark.parametrize(("text_", "way", "meant"), WRITTEN)
def test_training_tells_how_dates_are_written(text_: str, way: str, meant: str) -> None:
    assert seconds(text_, written=(way,)) == seconds(meant)


def test_hours_are_read_as_training_wrote_them() -> None:
    assert number("1:30 PM", "time", ("%I:%M %p",)) == (48_600.0, "")
    assert "no number" in number("1:30 PM", "time")[1]
