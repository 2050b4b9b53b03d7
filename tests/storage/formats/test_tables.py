"""Files that hold several tables: which are there, which is read, and what an unknown name is told."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flowml.storage.errors import BrokenFile, EmptyFile, FileTooLarge, UnknownFormat, UnknownTable
from flowml.storage.formats import locate, read
from tests.storage import binary_workbook, opendocument, workbook
from tests.storage.workbook import Cell

FIRST = pl.DataFrame({"a": [1, 2]})
SECOND = pl.DataFrame({"b": ["x", "y", "z"]})
SHEETS: dict[str, list[list[Cell]]] = {
    "empty": [],
    "first": [["a"], [1], [2]],
    "second": [["b"], ["x"], ["y"], ["z"]],
}
SQL = (
    "CREATE TABLE empty (c INTEGER)",
    "CREATE TABLE first (a INTEGER)",
    "INSERT INTO first VALUES (1), (2)",
    "CREATE TABLE second (b TEXT)",
    "INSERT INTO second VALUES ('x'), ('y'), ('z')",
    "CREATE VIEW seen AS SELECT * FROM first",
)


def _sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    for statement in SQL:
        connection.execute(statement)
    connection.commit()
    connection.close()


def _duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        for statement in SQL:
            connection.execute(statement)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("about.md", "no table")
        archive.writestr("first", "")
        archive.writestr("deep/first.csv", "a\n1\n2\n")
        archive.writestr("../../second.csv", "b\nx\ny\nz\n")


HOLDERS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "xlsx": (lambda path: workbook.write(path, SHEETS), ("empty", "first", "second")),
    "xlsb": (lambda path: binary_workbook.write(path, SHEETS), ("empty", "first", "second")),
    "ods": (lambda path: opendocument.write(path, SHEETS), ("empty", "first", "second")),
    "sqlite": (_sqlite, ("empty", "first", "second")),
    "duckdb": (_duckdb, ("empty", "first", "second")),
    "zip": (_zip, ("deep/first.csv", "../../second.csv")),
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_table_is_chosen_by_its_name(tmp_path: Path, kind: str) -> None:
    write, names = HOLDERS[kind]
    path = tmp_path / "given"
    write(path)
    (tmp_path / "work").mkdir()
    assert locate(path, "given", tmp_path / "work").names == names
    assert read(path, "given")[0].equals(FIRST)
    assert read(path, "given", names[-1])[0].equals(SECOND)
    with pytest.raises(UnknownTable, match="'nothing'") as caught:
        read(path, "given", "nothing")
    assert names[-1] in caught.value.advice
    assert {each.name for each in tmp_path.iterdir()} == {"given", "work"}


def test_a_file_with_one_table_has_no_other(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(UnknownTable, match="holds one table"):
        read(tmp_path / "t.csv", "t.csv", "other")


def test_triggers_views_and_functions_of_a_database_never_run(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "t.db")
    connection.execute("CREATE TABLE t (a INTEGER)")
    connection.execute(
        "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n"
    )
    connection.execute("INSERT INTO t VALUES (1)")
    connection.execute("CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END")
    connection.commit()
    connection.close()
    before = (tmp_path / "t.db").read_bytes()
    assert read(tmp_path / "t.db", "t.db")[0].equals(pl.DataFrame({"a": [1]}))
    with pytest.raises(UnknownTable):
        read(tmp_path / "t.db", "t.db", "v")
    assert (tmp_path / "t.db").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["t.db"]


def test_cells_of_many_kinds_in_a_column_of_sqlite_become_text(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "t.db")
    connection.execute("CREATE TABLE t (mixed, number, flag BOOLEAN)")
    connection.executemany(
        "INSERT INTO t VALUES (?, ?, ?)", [(1, 1, 1), ("two", 2.5, 0), (b"\x03", None, None)]
    )
    connection.commit()
    connection.close()
    frame, _ = read(tmp_path / "t.db", "t.db")
    assert frame.rows() == [("1", 1.0, True), ("two", 2.5, False), ("03", None, None)]


def test_a_database_of_views_alone_has_no_table(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "t")) as connection:
        connection.execute("CREATE VIEW v AS SELECT 1 AS a")
    with pytest.raises(EmptyFile, match="views are not read"):
        read(tmp_path / "t", "t.duckdb")


def _archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


ARCHIVES: dict[str, tuple[dict[str, bytes], type[Exception], str]] = {
    "of nothing": ({}, EmptyFile, "holds no file"),
    "of no table": ({"a.png": b"1", "b.md": b"2"}, UnknownFormat, "holds no table: 'a.png', 'b.md'"),
    "of a bomb": ({"t.csv": b"a\n" + b"0\n" * 40_000_000}, FileTooLarge, "unpacks to more than 64|67 MB"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_without_a_table_is_refused(tmp_path: Path, kind: str) -> None:
    members, error, said = ARCHIVES[kind]
    with pytest.raises(error, match=said):
        read(_archive(tmp_path / "t.zip", members), "t.zip")


def test_what_is_packed_again_and_again_is_refused(tmp_path: Path) -> None:
    content = b"a\n1\n"
    for depth in range(6):
        content = _archive(tmp_path / f"{depth}", {"t.zip": content}).read_bytes()
    with pytest.raises(BrokenFile, match="packed more than 3 times"):
        read(tmp_path / "5", "t.zip")
