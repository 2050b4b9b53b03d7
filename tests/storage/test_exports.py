"""Tables as files for other programs, with nothing in them that a spreadsheet would run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from flowml.storage import apart, exports, intake
from flowml.storage.errors import DataError, InputError
from flowml.storage.records.sheets import harmless, is_formula

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-x", "@SUM(A1)", "\tx", "＝1", "-5", "+2.5e3", "a=1", ""]
TABLE = pl.DataFrame(
    {
        "=name": FORMULAS,
        "number": [0.1, None, -3.5, 1e300, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
        "whole": [1, 2**60, None, *range(7)],
        "truth": [True, None, False, *[True] * 7],
        "day": [dt.date(2020, 2, 29), dt.date(1850, 1, 1), *[None] * 8],
        "moment": [dt.datetime(2020, 1, 2, 3, 4, 5), *[None] * 9],
        "clock": [dt.time(12, 30), *[None] * 9],
        "list": [[1, 2], *[None] * 9],
        "bytes": [b"\x00\xff", *[None] * 9],
    }
)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    TABLE.write_parquet(tmp_path / "stored.parquet")
    return tmp_path / "stored.parquet"


def test_what_is_a_formula() -> None:
    assert [is_formula(text) for text in FORMULAS] == [True] * 6 + [False] * 4
    assert harmless("=1") == "'=1"


def test_csv_bears_a_quote_before_formulas(stored: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    apart.run("export", {"path": str(stored), "target": str(target), "format": "csv"}, 60)
    back = pl.read_csv(target, infer_schema=False)
    assert back.columns == ["'=name", *TABLE.columns[1:]]
    assert back["'=name"].to_list() == [f"'{text}" for text in FORMULAS[:6]] + FORMULAS[6:]
    assert back["whole"].to_list()[:2] == ["1", str(2**60)]
    assert (back["list"][0], back["bytes"][0], back["day"][1]) == ("[1, 2]", "00ff", "1850-01-01")


def test_excel_keeps_each_type_and_has_texts_for_formulas(stored: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.xlsx"
    exports.export("xlsx").write(stored, target)
    assert b"<f>" not in _sheet(target)
    intake.convert(target, "out.xlsx", tmp_path / "back.parquet", 10**9)
    back = pl.read_parquet(tmp_path / "back.parquet")
    assert back.columns == TABLE.columns
    assert back["=name"].to_list()[:6] == [text.strip() for text in FORMULAS[:6]]
    for name in ("number", "truth", "moment", "clock"):
        assert back[name].to_list() == TABLE[name].to_list(), name
    assert back["whole"].to_list()[:2] == ["1", str(2**60)]


def _sheet(path: Path) -> bytes:
    import zipfile

    with zipfile.ZipFile(path) as book:
        return book.read("xl/worksheets/sheet1.xml")


def test_a_sheet_has_an_end(tmp_path: Path) -> None:
    pl.DataFrame({"a": [True]}).select(
        pl.all().repeat_by(1_048_576).explode(empty_as_null=True)
    ).write_parquet(tmp_path / "long.parquet")
    with pytest.raises(DataError, match="1,048,575 rows"):
        exports.export("xlsx").write(tmp_path / "long.parquet", tmp_path / "out.xlsx")


def test_other_formats_are_refused() -> None:
    with pytest.raises(InputError, match="ods"):
        exports.export("ods")
