from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from flowml.storage.errors import EmptyFile
from flowml.storage.formats import read
from flowml.storage.formats.excel import XLSX
from tests.storage import workbook


def test_the_first_sheet_with_cells_is_read_and_named(tmp_path: Path) -> None:
    path = workbook.write(
        tmp_path / "book.xlsx", {"Cover": [], "Sales & more": [["a"], [1], [2]], "C": [["b"], [3]]}
    )
    reading = XLSX.read(path)
    assert reading.names == ("a",)
    assert reading.frame.rows() == [(1,), (2,)]
    assert "has 3 sheets; 'Sales & more' was read" in reading.findings[0].message


def test_empty_rows_are_left_out_and_names_come_as_written(tmp_path: Path) -> None:
    rows: list[list[workbook.Cell]] = [["a", None, "a"], [1, None, "x"], [None, None, None], [2, 5, "y"]]
    reading = XLSX.read(workbook.write(tmp_path / "book.xlsx", {"S": rows}))
    assert reading.names == ("a", "", "a")
    assert reading.frame.rows() == [(1, None, "x"), (2, 5, "y")]


def test_rows_above_the_table_may_be_empty(tmp_path: Path) -> None:
    path = workbook.write(tmp_path / "book.xlsx", {"S": [[], [], ["a", "b"], [1, "x"], [2, "y"]]})
    assert read(path, "book.xlsx")[0].equals(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}))


def test_words_among_numbers_and_durations_do_not_stop_the_reading(tmp_path: Path) -> None:
    rows: list[list[workbook.Cell]] = [
        ["mixed", "took"],
        [1, dt.timedelta(hours=3)],
        ["?", "long"],
        [2.5, "short"],
    ]
    frame, _ = read(workbook.write(tmp_path / "book.xlsx", {"S": rows}), "book.xlsx")
    assert frame["mixed"].to_list() == [1.0, None, 2.5]
    assert frame["took"].dtype == pl.String


@pytest.mark.parametrize(
    ("sheets", "said"),
    [({"S": []}, "No sheet of the workbook holds a cell"), ({"S": [["a", "b"]]}, "has a header but no rows")],
)
def test_a_workbook_without_a_table_is_refused(
    tmp_path: Path, sheets: dict[str, list[list[workbook.Cell]]], said: str
) -> None:
    with pytest.raises(EmptyFile, match=said):
        XLSX.read(workbook.write(tmp_path / "book.xlsx", sheets))
