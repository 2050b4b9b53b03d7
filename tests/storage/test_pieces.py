"""Tables of every format, read piece by piece."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flowml.storage.errors import BrokenFile, EmptyFile, UnknownFormat
from flowml.storage.formats import FORMATS
from flowml.storage.pieces import Pieces, open_pieces
from tests.storage import workbook, writers

ROWS = 7
TABLE = pl.DataFrame(
    {"n": range(ROWS), "name ": [f"k{i}" for i in range(ROWS)], "x": [i / 2 for i in range(ROWS)]}
)


def _stream(path: Path) -> None:
    TABLE.write_ipc_stream(path)


WRITERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "parquet": ("t.parquet", TABLE.write_parquet),
    "arrow": ("t.arrow", TABLE.write_ipc),
    "arrow stream": ("t.arrows", _stream),
    "csv": ("t.csv", TABLE.write_csv),
    "tsv": ("t.tsv", lambda path: TABLE.write_csv(path, separator="\t")),
    "txt": ("t.txt", lambda path: TABLE.write_csv(path, separator="|")),
    "json": ("t.json", TABLE.write_json),
    "jsonl": ("t.jsonl", TABLE.write_ndjson),
    "xlsx": ("t.xlsx", lambda path: workbook.write(path, {"t": [TABLE.columns, *TABLE.rows()]})),
}
WRITERS |= {
    key: (f"t.{key}", functools.partial(write, TABLE))
    for key, write in writers.WRITERS.items()
    if key not in WRITERS
}


def cells(pieces: Pieces) -> list[list[Any]]:
    """All rows, whatever form they come in."""
    found: list[list[Any]] = []
    for piece in pieces.each:
        found += (
            map(list, piece.rows()) if isinstance(piece, pl.DataFrame) else [list(r.values()) for r in piece]
        )
    return found


@pytest.mark.parametrize("kind", WRITERS)
def test_pieces_hold_all_rows_in_order(kind: str, tmp_path: Path) -> None:
    name, write = WRITERS[kind]
    write(tmp_path / name)
    pieces = open_pieces(tmp_path / name, name, rows=3)
    found = cells(pieces)
    wanted = TABLE.select(pl.all().cast(pl.String)) if kind in ("csv", "tsv", "txt") else TABLE
    assert found == [list(row) for row in wanted.rows()]
    assert pieces.names in (("n", "name", "x"), None)
    assert pieces.rows in (ROWS, None)


def test_every_format_has_a_case() -> None:
    assert {row.key for row in FORMATS} <= set(WRITERS)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv", "xlsx"])
def test_only_columns_that_are_wanted_are_read(kind: str, tmp_path: Path) -> None:
    name, write = WRITERS[kind]
    write(tmp_path / name)
    (piece,) = open_pieces(tmp_path / name, name, lambda column: column == "x").each
    assert isinstance(piece, pl.DataFrame)
    assert piece.columns == ["x"]
    assert cells(open_pieces(tmp_path / name, name, lambda _: False)) == [[]] * ROWS


def text(path: Path, content: str | bytes) -> Pieces:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_pieces(path, path.name, rows=2)


def test_text_is_left_as_it_is_written(tmp_path: Path) -> None:
    pieces = text(tmp_path / "t.csv", "a,a,b\n007,NA, 1.0 \n,?,2020-01-01\n")
    assert (pieces.names, pieces.as_text) == (("a", "a_2", "b"), True)
    assert cells(pieces) == [["007", "NA", " 1.0 "], ["", "?", "2020-01-01"]]


def test_encodings_blank_lines_and_rows_longer_than_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cells(text(tmp_path / "t.csv", "a;b\nK\xf6ln;1\n\nx;2\n".encode("latin-1"))) == [
        ["Köln", "1"],
        ["x", "2"],
    ]
    assert cells(text(tmp_path / "t.csv", "a,b\nKöln,1\n".encode("utf-16"))) == [["Köln", "1"]]
    monkeypatch.setattr("flowml.storage.formats.delimited.STREAM_BLOCK", 64)
    rows = [[str(i), "x" * (300 if i == 5 else 3)] for i in range(9)]
    content = "n,t\n" + "\n".join(map(",".join, rows)) + "\n"
    assert cells(text(tmp_path / "t.csv", content)) == rows


@pytest.mark.parametrize(
    ("content", "words"),
    [("a,b\n1,2\n3\n", "line 3 has 1"), ('a,b\n1,"2\n3,4\n', "never closed"), ("a,b\n1,\0\n", "NUL")],
)
def test_damaged_text_is_refused(content: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match=words):
        cells(text(tmp_path / "t.csv", content))


@pytest.mark.parametrize("kind", ["parquet", "arrow", "jsonl", "json"])
def test_files_cut_short_are_refused(kind: str, tmp_path: Path) -> None:
    name, write = WRITERS[kind]
    write(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:-20])
    with pytest.raises(BrokenFile):
        cells(open_pieces(tmp_path / name, name))


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptyFile):
        text(tmp_path / "t.csv", "")
    with pytest.raises(UnknownFormat):
        text(tmp_path / "t.csv", b"\x89PNG\r\n\x1a\n" + bytes(100))


def test_a_header_without_rows_is_a_table_of_none(tmp_path: Path) -> None:
    assert cells(text(tmp_path / "t.csv", "a,b\n")) == []
