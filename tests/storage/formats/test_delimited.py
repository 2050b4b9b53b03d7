from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowml.storage.errors import BrokenFile
from flowml.storage.formats.delimited import read
from flowml.storage.reading import Reading


def reading_of(folder: Path, content: bytes | str) -> Reading:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(path)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
def test_letters_survive_their_encoding(tmp_path: Path, encoding: str) -> None:
    reading = reading_of(tmp_path, "name;größe\nZoë;1,75\nÅsa;1,5\n".encode(encoding))
    assert reading.names == ("name", "größe")
    assert reading.frame.rows() == [("Zoë", "1,75"), ("Åsa", "1,5")]
    assert reading.decimal_comma
    western = encoding in ("cp1252", "latin-1")
    assert [finding.kind for finding in reading.findings] == (["encoding"] if western else [])


def test_bytes_of_no_known_letter_are_read_all_the_same(tmp_path: Path) -> None:
    assert reading_of(tmp_path, b"a,b\n1,\x81\n").frame.rows() == [("1", "\x81")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_like(tmp_path: Path, end: str) -> None:
    assert reading_of(tmp_path, end.join(["a,b", "1,2", "", "3,4", ""])).frame.rows() == [
        ("1", "2"),
        ("3", "4"),
    ]


def test_quotes_hold_delimiters_lines_and_quotes(tmp_path: Path) -> None:
    content = 'a,b\n"x,y","1\n2"\n"said ""no""",5" pipe\n'
    assert reading_of(tmp_path, content).frame.rows() == [("x,y", "1\n2"), ('said "no"', '5" pipe')]


def test_lines_of_blanks_are_no_rows(tmp_path: Path) -> None:
    assert reading_of(tmp_path, "\n \na,b\n1,2\n   \n3,4\n  \n").frame.rows() == [("1", "2"), ("3", "4")]


def test_names_come_as_written_even_if_alike_or_empty(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, "a, a ,,a\n1,2,3,4\n")
    assert reading.names == ("a", " a ", "", "a")
    assert reading.frame.columns == ["0", "1", "2", "3"]


def test_a_table_without_header_gets_numbers_as_names(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, "1.5,2\n3.5,4\n")
    assert reading.names == ("column_1", "column_2")
    assert reading.frame.height == 2
    assert [finding.kind for finding in reading.findings] == ["no_header"]


def test_a_header_longer_than_the_first_look_is_read_whole(tmp_path: Path) -> None:
    names = [f"a_rather_long_name_of_a_column_{n}" for n in range(9000)]
    reading = reading_of(tmp_path, ",".join(names) + "\n" + ",".join("1" * 9000) + "\n")
    assert reading.names == tuple(names)


def test_a_cell_larger_than_a_block_is_read(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, "a,b\n1," + "x" * 20_000_000 + "\n2,y\n")
    assert reading.frame.select(pl.col("1").str.len_bytes()).to_series().to_list() == [20_000_000, 1]


def test_only_the_first_bad_lines_are_listed(tmp_path: Path) -> None:
    content = "a,b\n" + '"1\n2",3\n' + "4\n" * 7
    with pytest.raises(BrokenFile) as caught:
        reading_of(tmp_path, content)
    assert (
        "7 lines do not have the 2 fields of the header: line 4 has 1, line 5 has 1" in caught.value.message
    )
    assert caught.value.message.endswith("line 8 has 1, ….")
    assert "parted by commas" in caught.value.advice


def test_a_bad_line_far_down_is_found(tmp_path: Path) -> None:
    with pytest.raises(
        BrokenFile, match="1 line does not have the 2 fields of the header: line 200002 has 3"
    ):
        reading_of(tmp_path, "a,b\n" + "1,2\n" * 200_000 + "1,2,3\n" + "1,2\n" * 10)


def test_a_bad_line_of_a_file_that_is_not_utf_8_is_found(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="line 3 has 1"):
        reading_of(tmp_path, "größe,b\n1,2\nZoë\n".encode("latin-1"))


CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from(",;\t|'\" \nx1"), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_whatever_is_quoted_comes_back(
    tmp_path: Path, rows: list[tuple[str, str, str]], delimiter: str
) -> None:
    written = [(f"k{first}", *others) for first, *others in rows]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([("alpha", "beta", "gamma"), *written])
    reading = reading_of(tmp_path, text.getvalue())
    assert reading.names == ("alpha", "beta", "gamma")
    assert reading.frame.rows() == written


@pytest.mark.parametrize("start", ["sep=;\n", "\ufeffSEP=;\r\n", "\nsep=;\n"])
def test_a_line_that_tells_excel_the_delimiter_is_no_header(tmp_path: Path, start: str) -> None:
    reading = reading_of(tmp_path, f"{start}a;b,c;d\n1,5;x;2\n2,5;y;3\n")
    assert reading.names == ("a", "b,c", "d")
    assert reading.frame.rows() == [("1,5", "x", "2"), ("2,5", "y", "3")]
    with pytest.raises(BrokenFile, match=r"1 line does not have the 3 fields of the header: line \d has 2"):
        reading_of(tmp_path, f"{start}a;b;c\n1;2;3\n4;5\n")
