from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from flowml.storage.texts import settle_text

Values = list[str | None]

# what is written -> what it means, and a part of the note
MEANINGS: dict[str, tuple[Values, list[object], str]] = {
    "whole numbers": (["1", " -2 ", "+3", None], [1, -2, 3, None], ""),
    "numbers": (["1", "-2.5", ".5", "1e3"], [1.0, -2.5, 0.5, 1000.0], ""),
    "stray blanks": (["1.5", " ", "2.5"], [1.5, None, 2.5], "1 cell with only blanks"),
    "empty cells": (["1", "", "2"], [1, None, 2], ""),
    "stray tokens": (["1", "N/A", "?", "-", "4"], [1, None, None, None, 4], "3 cells with '-', '?', 'N/A'"),
    "infinities": (["1.5", "inf", "-Infinity"], [1.5, None, None], "2 cells with '-Infinity', 'inf'"),
    "a word among numbers": (["1", "two", "3"], ["1", "two", "3"], ""),
    "grouped thousands": (["1,234", "12,345.5", "7"], [1234.0, 12345.5, 7.0], "commas group"),
    "one decimal": (["1,5", "22,75", "3"], [1.5, 22.75, 3.0], "decimal comma"),
    "German": (["1.234,5", "2.000,25"], [1234.5, 2000.25], "decimal comma"),
    "leading zeros": (["007", "123"], ["007", "123"], "leading zeros"),
    "zero itself": (["0", "0.5", "-0.25"], [0.0, 0.5, -0.25], ""),
    "long numbers": (["1234567890123456", "2"], ["1234567890123456", "2"], "long numbers"),
    "truth": (["True", "FALSE", None, "true"], [True, False, None, True], ""),
    "truth with gaps": (["true", "NA", "false"], [True, None, False], "1 cell with 'NA'"),
    "yes and no stay words": (["yes", "no"], ["yes", "no"], ""),
    "missing words": (["x", "NA", "null", "None"], ["x", None, None, "None"], "2 cells with 'NA', 'null'"),
    "nothing": (["", " ", None], [None, None, None], ""),
    "only missing tokens": (["NA", "NA"], [None, None], "2 cells with 'NA'"),
    "only question marks": (["?", "?"], ["?", "?"], ""),
    "days": (["2020-01-02", "NA"], [dt.date(2020, 1, 2), None], "dates written like '2020-01-02'"),
    "versions are no numbers": (["1.2.3", "1.2.4"], ["1.2.3", "1.2.4"], ""),
    "other digits": (["٣", "٤"], ["٣", "٤"], ""),
}


@pytest.mark.parametrize("kind", MEANINGS)
def test_text_becomes_what_it_means(kind: str) -> None:
    written, expected, said = MEANINGS[kind]
    settled, note = settle_text(pl.Series("x", written, pl.String), typed=False, decimal_comma=False)
    assert settled.to_list() == expected
    assert settled.name == "x"
    assert said in note
    assert bool(said) == bool(note)


def test_what_could_be_two_numbers_is_read_as_the_delimiter_suggests() -> None:
    column = pl.Series(["1,234", "5,678"])
    assert settle_text(column, typed=False, decimal_comma=False)[0].to_list() == [1234.0, 5678.0]
    assert settle_text(column, typed=False, decimal_comma=True)[0].to_list() == [1.234, 5.678]


def test_few_whole_numbers_as_text_of_a_typed_file_name_kinds() -> None:
    codes = pl.Series(["0", "1", "2"] * 20)
    settled, note = settle_text(codes, typed=True, decimal_comma=False)
    assert settled.equals(codes)
    assert note == "whole numbers written as text, so they name kinds"
    many = pl.Series([str(n) for n in range(60)])
    assert settle_text(many, typed=True, decimal_comma=False)[0].dtype == pl.Int64
    fractions = pl.Series(["0.5", "1.5"] * 20)
    assert settle_text(fractions, typed=True, decimal_comma=False)[0].dtype == pl.Float64


@pytest.mark.parametrize(
    ("last", "expected", "dtype"),
    [
        ("7", 7, pl.Int64),
        ("", None, pl.Int64),
        ("1.5", 1.5, pl.Float64),
        (" 8 ", 8, pl.Int64),
        ("?", None, pl.Int64),
        ("inf", None, pl.Int64),
        ("1,250", 1250.0, pl.Float64),
        ("007", "007", pl.String),
        ("1234567890123456", "1234567890123456", pl.String),
    ],
)
def test_the_last_of_many_plain_numbers_counts_too(last: str, expected: object, dtype: pl.DataType) -> None:
    column = pl.Series([str(n) for n in range(1, 5000)] + [last])
    settled, _ = settle_text(column, typed=False, decimal_comma=False)
    assert (settled.dtype, settled[-1]) == (dtype, expected)


def test_one_word_far_down_keeps_a_column_text() -> None:
    column = pl.Series([str(n) for n in range(50_000)] + ["W12"])
    assert settle_text(column, typed=False, decimal_comma=False)[0].dtype == pl.String
