"""Large delimited files that are cut into blocks: read as if row after row, or refused in the same words."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from flowml.storage import conversion
from flowml.storage.errors import BrokenFile
from flowml.storage.formats import Located, arriving, blocks, delimited, groups, recognise

PLAIN = {
    "numbers and words": b"".join(b"%d,%d.5,w%d\n" % (n, n, n % 7) for n in range(90)),
    "a decimal far down": b"".join(b"%d,x\n" % n for n in range(90)) + b"1.25,x\n",
    "a word far down": b"".join(b"%d,%d\n" % (n, n) for n in range(90)) + b"1,none at all\n",
    "a missing token far down": b"".join(b"%d,%d\n" % (n, n) for n in range(90)) + b"?,3\n",
    "a leading zero far down": b"".join(b"%d,x\n" % n for n in range(1, 90)) + b"007,x\n",
    "a long number far down": b"".join(b"%d,x\n" % n for n in range(90)) + b"12345678901234567,x\n",
    "an infinite number far down": b"".join(b"%d,x\n" % n for n in range(90)) + b"1e999,x\n",
    "a hexadecimal number far down": b"".join(b"%d,x\n" % n for n in range(90)) + b"0x1f,x\n",
    "a decimal and then a word far down": b"".join(b"%d,x\n" % n for n in range(90)) + b"1.5,x\nnone,x\n",
    "a sign before a whole number far down": b"".join(b"%d,x\n" % n for n in range(90)) + b"+5,x\n",
    "a blank before a leading zero": b"".join(b"%d,x\n" % n for n in range(90)) + b' 007,x\n" 1",x\n',
    "a hexadecimal number in capitals": b"".join(b"%d,x\n" % n for n in range(90)) + b"0X1F,x\n",
    "no number far down": b"".join(b"%d.5,x\n" % n for n in range(90)) + b"nan,x\n",
    "blanks alone far down": b"".join(b"%d,x\n" % n for n in range(90)) + b"  ,x\n",
    "truth values": b"".join(b"%s,%d\n" % ((b"true", b"False", b"")[n % 3], n) for n in range(90)),
    "another truth value far down": b"true,1\n" * 90 + b"tRuE,1\n",
    "a word among truth values": b"true,1\n" * 90 + b"maybe,1\n",
    "no truth value but a missing token": b"true,1\n" * 90 + b"NA,1\n",
    "moments": b"".join(b"2024-01-%02dT10:00:%02d.5\n" % (n % 28 + 1, n % 60) for n in range(90)),
    "a day among moments": b"2024-01-02 10:00\n" * 90 + b"2024-01-03\n\n",
    "a moment among days": b"2024-01-02,1\n" * 90 + b"2024-01-03 10:00,1\n",
    "a day in the year 999": b"2024-01-02,1\n" * 90 + b"0999-01-03,1\n",
    "a moment with a zone": b"2024-01-02 10:00,1\n" * 90 + b"2024-01-02T10:00Z,1\n",
    "days, with some that never were": b"2024-01-02,1\n,1\n" * 90 + b"2024-02-30,1\n",
    "every column of another kind far down": b"1,true,2024-01-02\n" * 90 + b"a,b,c\n" + b"1,true,x\n" * 60,
    "signs and small parts": b"".join(b"-%d,0.0%d,+%d,-.5\n" % (n, n, n) for n in range(90)),
    "gaps": b"".join(b"%s,%d,\n" % (b"" if n % 3 else b"7", n) for n in range(90)),
    "gaps at the beginning": b",1\n" * 60 + b"5,2\n" * 60,
    "lines in quotes": b"".join(b'"a ""b"", %d\nc",%d\n' % (n, n) for n in range(90)),
    "quotes that hold nothing": b'"",1\n"x","2"\n' * 60,
    "numbers in quotes": b"".join(b'"%d","0.%d"\n' % (n, n) for n in range(90)),
    "lines that end as in DOS": b"".join(b"%d,x\r\n" % n for n in range(90)),
    "lines that end as on old Macs": b"1,x\r" * 90,
    "no last newline": b"1,x\n" * 60 + b"2,y",
    "dates": b"".join(b"2024-01-%02d,%02d.02.2024\n" % (n % 28 + 1, n % 28 + 1) for n in range(90)),
    "decimal commas": b"".join(b"%d;%d,5\n" % (n, n) for n in range(90)),
    "tabs": b"".join(b"%d\tx\n" % n for n in range(90)),
    "letters": "ä,ß\n".encode() * 90,
    "apostrophes": b"'a, b',1\n'c',2\n" * 60,
}
LEFT = {  # to a reader that takes one row after the other
    "a stray quote": b"1,x\n" * 60 + b'2,5" pipe\n' + b"3,y\n" * 60,
    "a quote after a blank": b"1,x\n" * 60 + b'2, "y"\n' + b"3,y\n" * 60,
    "no UTF-8": b"1,x\n" * 60 + "2,Köln\n".encode("cp1252"),
    "UTF-16": "1,x\n".encode("utf-16-le") * 60,
    "lines of blanks": b"1,x\n" * 60 + b"   \n" + b"2,y\n" * 60,
}
REFUSED = {
    "a field too many": (b"1,x\n" * 60 + b"2,y,z\n" + b"3,w\n" * 60, "line 62 has 3"),
    "a field too few": (b"1,x\n" * 60 + b"2\n" + b"3,w\n" * 60, "line 62 has 1"),
    "a quote that never closes": (b"1,x\n" * 60 + b'2,"y\n' + b"3,w\n" * 60, "opens in line 62"),
    "a NUL": (b"1,x\n" * 60 + b"2,\0\n" + b"3,w\n" * 60, "Line 62 holds a NUL"),
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of few rows, for any file."""
    monkeypatch.setattr(conversion, "LARGE", 0)
    monkeypatch.setattr(blocks, "SIZE", 64)
    monkeypatch.setattr(blocks, "SIZE_PER_COLUMN", 1)


def header(rows: bytes) -> bytes:
    """A line of names for as many fields, in the encoding of the rows."""
    first = rows.splitlines()[0]
    if first.startswith(b'"a ""b'):
        first = b"a,b"
    if b"\0" in first:
        return "a,b\n".encode("utf-16")
    delimiter = next((each for each in (b";", b"\t") if each in first), b",")
    fields = 2 if first.startswith(b"'") else first.count(delimiter) + 1
    end = b"\r\n" if b"\r\n" in rows else b"\r" if b"\r" in rows else b"\n"
    return delimiter.join(b"c%d" % n for n in range(fields)) + end


def located(folder: Path, content: bytes) -> Located:
    path = folder / "large.csv"
    path.write_bytes(content)
    return Located(path, path.name, recognise(path, path.name))


def both(folder: Path, content: bytes) -> tuple[conversion.Converted, conversion.Converted, pl.DataFrame]:
    """What is made of a file in blocks and at once, and the table."""
    found = located(folder, content)
    in_blocks = conversion.convert(found, folder / "blocks.parquet", folder)
    at_once = conversion._at_once(found, folder / "once.parquet")
    table = pl.read_parquet(folder / "blocks.parquet")
    assert_frame_equal(table, pl.read_parquet(folder / "once.parquet"))
    return in_blocks, at_once, table


@pytest.mark.parametrize("rows", PLAIN.values(), ids=PLAIN)
def test_blocks_make_the_same_table(rows: bytes, tmp_path: Path) -> None:
    in_blocks, at_once, table = both(tmp_path, header(rows) + rows)
    assert in_blocks == at_once
    assert table.height >= 60
    assert not (tmp_path / "raw.arrow").exists()


@pytest.mark.parametrize("rows", LEFT.values(), ids=LEFT)
def test_what_is_not_plain_is_read_row_after_row(rows: bytes, tmp_path: Path) -> None:
    in_blocks, at_once, _ = both(tmp_path, header(rows) + rows)
    assert in_blocks == at_once
    assert (tmp_path / "raw.arrow").exists()


def test_only_columns_that_were_mistaken_are_read_twice(tmp_path: Path) -> None:
    rows = b"".join(b"%d,%d,true,2024-01-02\n" % (n, n) for n in range(90)) + b"1.5,word,false,2024-01-03\n"
    in_blocks, *_ = both(tmp_path, header(rows) + rows)
    assert [column.type for column in in_blocks.schema.columns] == ["number", "string", "boolean", "date"]
    assert list(pl.read_parquet_schema(tmp_path / "blocks-of-text-0.parquet")) == ["c1"]


def test_a_table_that_settling_leaves_as_it_is_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it was written again")

    monkeypatch.setattr(conversion, "_join", refuse)
    *_, table = both(tmp_path, b"a,a,b,c\n" + b"1,2.5,true,x\n,,,\n" * 60)
    assert table.columns == ["a", "a_2", "b", "c"]


def test_another_file_begins_where_a_type_changes(tmp_path: Path) -> None:
    *_, table = both(tmp_path, b"a,b\n" + b"1,2\n" * 60 + b"1,2.5\n" * 60 + b"1.5,2\n" * 60)
    files = sorted(tmp_path.glob("blocks-*.parquet"))
    kinds = [list(pl.read_parquet_schema(path).values()) for path in files]
    assert kinds[0] == [pl.Int64, pl.Int64]
    assert kinds[-1] == [pl.Float64, pl.Float64]
    assert table.dtypes == kinds[-1]


def test_groups_of_rows_are_small_where_rows_are_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "GROUP", 200)
    both(tmp_path, b"a,b\n" + b"1,x\n" * 60)
    assert pq.read_metadata(tmp_path / "blocks.parquet").num_row_groups > 3


def test_only_columns_that_settling_changed_are_written_twice(tmp_path: Path) -> None:
    both(tmp_path, b"a,b,c,d\n" + b"1,x,02.03.2024,true\n,,03.03.2024,\n" * 60)
    (part,) = tmp_path.glob("part-*.arrow")
    assert pl.read_ipc(part).get_columns()[0].dtype == pl.Date
    assert pl.read_ipc(part).width == 1


@pytest.mark.parametrize(("rows", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_broken_is_refused_with_its_line(rows: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match=words):
        conversion.convert(located(tmp_path, header(rows) + rows), tmp_path / "table.parquet", tmp_path)


@pytest.mark.parametrize("before", [b"", b"\n\n", b"\xef\xbb\xbf"], ids=["nothing", "blank lines", "a mark"])
def test_what_stands_before_the_header_is_passed_over(before: bytes, tmp_path: Path) -> None:
    *_, table = both(tmp_path, before + b'"a\nb",c\n' + b"1,x\n" * 60)
    assert (table.columns, table.height) == (["a b", "c"], 60)


def test_a_table_without_header_is_read_from_its_first_line(tmp_path: Path) -> None:
    *_, table = both(tmp_path, b"".join(b"%d,%d.5\n" % (n + 3, n) for n in range(90)))
    assert (table.columns, table.height) == (["column_1", "column_2"], 90)


def test_a_row_longer_than_some_blocks_is_read(tmp_path: Path) -> None:
    rows = b"1,x\n" * 60 + b"2," + b"y" * 200 + b"\n" + b"3,z\n" * 60
    *_, table = both(tmp_path, b"a,b\n" + rows)
    assert table["b"].str.len_chars().max() == 200


def test_a_file_is_read_as_far_as_it_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(90)) + b"\n\n"
    path = tmp_path / "coming.csv"
    path.write_bytes(whole[:50])
    made: list[int] = []

    def hear() -> int:
        with path.open("ab") as file:
            file.write(whole[path.stat().st_size :][:50])
        made.append(path.stat().st_size)
        return made[-1]

    monkeypatch.setattr(arriving, "_arriving", {})
    arriving.expect(path, len(whole), hear)
    pieces = []
    for piece in blocks.cut(path, delimited._dialect_of(path), 40):
        pieces.append((bytes(piece), made[-1]))
    assert b"".join(piece for piece, _ in pieces) == whole
    assert pieces[0][1] < len(whole)
    assert arriving.size_of(path) == len(whole)


def test_blocks_end_where_rows_do(tmp_path: Path) -> None:
    rows = b"".join(b'"x\ny ""%d""",%d\n' % (n, n) for n in range(50))
    found = located(tmp_path, rows)
    dialect = delimited._dialect_of(found.path)
    for size in range(1, 60):
        pieces = [bytes(piece) for piece in blocks.cut(found.path, dialect, size)]
        assert b"".join(pieces) == rows
        assert all(piece.startswith(b'"x') and piece.endswith(b"\n") for piece in pieces)
