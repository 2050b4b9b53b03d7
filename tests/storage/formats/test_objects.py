from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from flowml.storage.formats import read

TABLE = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
SHAPES = {
    "records": '[{"a": 1, "b": "x"}, {"a": 2, "b": null}]',
    "records with gaps": '[{"a": 1, "b": "x"}, {"a": 2}]',
    "columns": '{"a": [1, 2], "b": ["x", null]}',
    "columns of rows": '{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": null}}',
    "wrapped": '{"data": [{"a": 1, "b": "x"}, {"a": 2}]}',
    "wrapped with more": '{"count": 2, "items": [{"a": 1, "b": "x"}, {"a": 2}], "next": null}',
    "lines": '{"a": 1, "b": "x"}\n\n{"a": 2}\n',
    "lines of Windows": '{"a": 1, "b": "x"}\r\n{"a": 2}\r\n',
    "marked as UTF-8": '\ufeff[{"a": 1, "b": "x"}, {"a": 2}]',
    "not a number": '[{"a": 1, "b": "x"}, {"a": 2, "b": NaN}]',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_the_same_table(tmp_path: Path, shape: str) -> None:
    (tmp_path / "table").write_text(SHAPES[shape], "utf-8", newline="")
    assert read(tmp_path / "table", "table")[0].equals(TABLE)


def test_one_record_on_a_line_goes_by_the_name(tmp_path: Path) -> None:
    (tmp_path / "table").write_text('{"a": 1, "b": "x"}\n')
    assert read(tmp_path / "table", "table.jsonl")[0].rows() == [(1, "x")]


def test_mixed_values_become_text_and_nested_records_columns(tmp_path: Path) -> None:
    records = (
        '[{"id": 1, "at": {"lat": 1.5, "lon": {"x": 1}}}, {"id": "x", "at": {"lat": 2.5, "lon": {"x": 2}}}]'
    )
    (tmp_path / "table").write_text(records)
    frame, _ = read(tmp_path / "table", "table.json")
    assert frame["id"].to_list() == ["1", "x"]
    assert frame["at.lat"].to_list() == [1.5, 2.5]
    assert frame["at.lon"].dtype == pl.Struct({"x": pl.Int64})
