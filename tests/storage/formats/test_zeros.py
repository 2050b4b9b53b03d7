"""Numbers with leading zeros: found in text as if each cell were looked at."""

from __future__ import annotations

import csv
import io
import random
import re

import pytest

from flowml.storage.formats import zeros
from flowml.storage.formats.dialect import Dialect

CELLS = ("", "0", "7", "-1", "0.5", "-0.07", "+0", "00", "007", "-01", " 08", "0x1F", "09e5", "10", "1.05")
WORDS = ("x", "0abc", "01 b", "2024-05-06", "a,0b", "a\n01", "01,02", '0"1', "12:05", "1/02")
LEADING = re.compile(r" *[+-]?(0[0-9][0-9.eE+-]*|0[xX].*)")


def dialect(delimiter: str, columns: int) -> Dialect:
    return Dialect("utf-8", delimiter, '"', 0, ("c",) * columns, True, False)


@pytest.mark.parametrize(("slice_", "lines"), [(5, 0), (16, 100), (1 << 17, 0), (1 << 17, 100)])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_of_numbers_are_found_as_if_each_cell_were_looked_at(
    delimiter: str, slice_: int, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zeros, "SLICE", slice_)
    monkeypatch.setattr(zeros, "MOST_LINES", lines)
    chance = random.Random(0)
    for _ in range(60):
        rows = [[chance.choice(kind) for kind in (CELLS, CELLS, WORDS, CELLS + WORDS)] for _ in range(3)]
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator=chance.choice(("\n", "\r\n"))).writerows(rows)
        content = memoryview(text.getvalue().encode())
        expected = {at for row in rows for at, cell in enumerate(row) if LEADING.fullmatch(cell)}
        found = zeros.columns_with_leading_zeros(content, dialect(delimiter, 4), 3)
        assert found is not None
        assert found >= expected, rows
        assert found - {2, 3} == expected - {2, 3}, rows


@pytest.mark.parametrize(
    "content", [b"1,2\r01,2\r", b'1,"2"\n\n01,2\n'], ids=["returns alone", "a blank line"]
)
def test_what_cannot_be_counted_is_not_guessed(content: bytes) -> None:
    assert zeros.columns_with_leading_zeros(memoryview(content), dialect(",", 2), 2) is None


def test_a_table_may_begin_and_end_with_one() -> None:
    assert zeros.columns_with_leading_zeros(memoryview(b"01,2\n3,04"), dialect(",", 2), 2) == {0, 1}
