"""Queries that mend do what they say, on names and values of every kind."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from flowml.storage import mending, query

ODD = 'it\'s "so"'


def made(folder: Path, sql: str, monkeypatch: pytest.MonkeyPatch, **columns: list[object]) -> pl.DataFrame:
    monkeypatch.chdir(folder)
    pl.DataFrame(columns).write_parquet("table.parquet")
    path = folder / "table.parquet"
    query.derive_work({"path": str(path), "sql": sql, "target": "target.parquet"})
    return pl.read_parquet("target.parquet")


READ: list[tuple[str, list[object], list[object]]] = [
    ("number", ["1.5", "x", None, "-2"], [1.5, None, None, -2.0]),
    ("whole number", ["7", "x", "8"], [7, None, 8]),
    ("text", [1, 2], ["1", "2"]),
    ("date, day first", ["03.04.2024", "2024-05-06", "x"], [(2024, 4, 3), (2024, 5, 6), None]),
    ("date, month first", ["03/04/2024", "20240506", None], [(2024, 3, 4), (2024, 5, 6), None]),
    ("date from seconds", [86_400, 0], [(1970, 1, 2), (1970, 1, 1)]),
]


@pytest.mark.parametrize(("key", "values", "expected"), READ, ids=[key for key, *_ in READ])
def test_a_column_is_read_as_another_type(
    key: str, values: list[object], expected: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = made(tmp_path, mending.retyped({ODD: key}), monkeypatch, **{ODD: values})
    moments = [dt.datetime(*each) if isinstance(each, tuple) else each for each in expected]
    assert frame[ODD].to_list() == moments


def test_every_type_is_tried() -> None:
    assert {key for key, *_ in READ} == set(mending.TYPES)


def test_values_and_rows_are_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expressions = {
        ODD: mending.without_values(ODD, [mending.text("it's"), mending.text("?")]),
        "n": mending.within("n", 0.0, 1e16),
    }
    columns = {ODD: ["it's", "?", "a"], "n": [1e17, 5.0, -1.0]}
    frame = made(tmp_path, mending.replaced(expressions), monkeypatch, **columns)
    assert frame.rows() == [(None, None), (None, 5.0), ("a", None)]


def test_rows_are_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns: dict[str, list[object]] = {"a": ["x", "y", None, "x"], "n": [1, 2, 3, 4]}
    kept = made(tmp_path, mending.rows_without("a", [mending.text("x")]), monkeypatch, **columns)
    assert kept["n"].to_list() == [2, 3]


@pytest.mark.parametrize(("names", "rows"), [(("a", "n"), 3), (("a",), 2)])
def test_repeated_rows_are_taken_out(
    names: tuple[str, ...], rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns: dict[str, list[object]] = {"a": ["x", "x", "y", "x"], "n": [1, 1, 2, 3]}
    assert made(tmp_path, mending.distinct_rows(names, 2), monkeypatch, **columns).height == rows
