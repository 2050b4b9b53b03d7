"""Every row of FORMATS reads the same small table, and is recognised whatever its file is called."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from flowml.storage.errors import BrokenFile, EmptyFile, FileError, UnknownFormat
from flowml.storage.formats import FORMATS, read, recognise
from flowml.storage.formats.wrapped import SUFFIXES as WRAPPED
from tests.storage.writers import TABLE, WRAPPERS, WRITERS


def test_every_format_has_a_writer_here_and_suffixes_of_its_own() -> None:
    assert [row.key for row in FORMATS] == list(WRITERS)
    suffixes = [suffix for row in FORMATS for suffix in row.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)


@pytest.mark.parametrize("key", WRITERS)
@pytest.mark.parametrize("name", ["table", "table.csv", "table.parquet", "table.xlsx", "TABLE.JSON", "x.exe"])
def test_the_same_table_comes_back_from_every_format_under_any_name(
    tmp_path: Path, key: str, name: str
) -> None:
    WRITERS[key](TABLE, tmp_path / name)
    frame, found = read(tmp_path / name, name)
    assert found == key
    assert frame.schema == TABLE.schema
    assert frame.equals(TABLE)


@pytest.mark.parametrize("key", WRITERS)
def test_a_damaged_file_is_read_or_refused_with_words(tmp_path: Path, key: str) -> None:
    """Bytes are changed or cut off at chance; every failure is one of ours."""
    chance = random.Random(key)
    WRITERS[key](TABLE, tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    for _ in range(20):
        damaged = bytearray(whole[: chance.randrange(1, len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(chance.choice((1, 3, 20))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (tmp_path / "damaged").write_bytes(damaged)
        with contextlib.suppress(FileError):
            read(tmp_path / "damaged", f"table.{key}")


def test_every_wrapper_is_unpacked(tmp_path: Path) -> None:
    assert [f".{key}" for key in WRAPPERS] == list(WRAPPED)
    for key, wrap in WRAPPERS.items():
        for inner in ("csv", "xlsx", "parquet"):
            WRITERS[inner](TABLE, tmp_path / "inner")
            wrap((tmp_path / "inner").read_bytes(), tmp_path / "packed")
            frame, found = read(tmp_path / "packed", f"table.{inner}.{key}")
            assert (found, frame.equals(TABLE)) == (inner, True)


def test_an_arrow_stream_is_read_like_a_file(tmp_path: Path) -> None:
    TABLE.write_ipc_stream(tmp_path / "stream")
    assert read(tmp_path / "stream", "stream")[0].equals(TABLE)


STRANGE: dict[str, tuple[bytes, str]] = {
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a PNG picture"),
    "program": (b"\x7fELF\x02\x01" + bytes(500), "a Linux program"),
    "page": (b"\n<!DOCTYPE html><html>no such page</html>", "a web page"),
    "pickle": (b"\x80\x05\x95" + bytes(40), "never loaded"),
    "old workbook": (b"\xd0\xcf\x11\xe0" + bytes(500), "password-protected workbook"),
    "noise": (bytes(range(1, 256)) * 20, "no format that is read here"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_table_is_refused_with_what_it_is(tmp_path: Path, kind: str) -> None:
    content, said = STRANGE[kind]
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(UnknownFormat, match=said):
        recognise(tmp_path / "table.csv", "table.csv")


BROKEN: dict[str, tuple[bytes, type[FileError], str]] = {
    "empty.csv": (b"", EmptyFile, "no bytes"),
    "blank.csv": (b"\n  \n\n", EmptyFile, "blanks only"),
    "header.csv": (b"a,b,c\n", EmptyFile, r"header \(a, b, c\) but no rows"),
    "no_value.csv": (b"a,b\n,\n,\n", EmptyFile, "2 rows, but no cell holds a value"),
    "ragged.csv": (b"a,b,c\n1,2,3\n1,2\n4,5,6\n7,8,9,10\n", BrokenFile, "line 3 has 2, line 5 has 4"),
    "open_quote.csv": (b'a,b\n1,"x\n2,y\n3,z\n', BrokenFile, "opens in line 2 is never closed"),
    "open_last_quote.csv": (b'a,b\n1,x\n2,"y\n3,z\n', BrokenFile, "opens in line 3 is never closed"),
    "nul.csv": (b"a,b\n1,2\n3,\x004\n", BrokenFile, "Line 3 holds a NUL byte"),
    "wide.csv": (b",".join([b"a"] * 10_001) + b"\n1\n", FileError, "10,001 columns"),
    "cut.parquet": (b"PAR1" + bytes(100), BrokenFile, "cut off"),
    "footer.parquet": (b"PAR1" + b"abc" * 100 + b"\x10\0\0\0PAR1", BrokenFile, "damaged"),
    "cut.arrow": (b"ARROW1\0\0" + bytes(40), BrokenFile, "damaged"),
    "cut.xlsx": (b"PK\x03\x04\x14\0\0\0\x08\0xl/workbook.xml" + bytes(40), BrokenFile, "cut off"),
    "object.json": (b'{"a": 1, "b": {"c": 2}}', BrokenFile, "no table but an object"),
    "list.json": (b"[1, 2, 3]", BrokenFile, "no table but a list"),
    "number.json": (b"42", BrokenFile, "no table but a number"),
    "no_records.json": (b"[]", EmptyFile, "no rows"),
    "deep.json": (b"[" * 10_000 + b"]" * 10_000, BrokenFile, "nested too deeply"),
    "cut.json": (b'[{"a": 1}, {"a":', BrokenFile, "cut off at line 1, column 17"),
    "unequal.json": (b'{"a": [1, 2], "b": [1]}', BrokenFile, "a has 2, b has 1"),
    "bad_line.jsonl": (b'{"a": 1}\n{"a":\n{"a": 3}\n', BrokenFile, "Line 2 is no JSON record"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_cause(tmp_path: Path, name: str) -> None:
    content, kind, said = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=said):
        read(tmp_path / name, name)
