from __future__ import annotations

import pytest

from flowml.storage.formats.dialect import detect, encoding_of

# text -> delimiter, quote, whether the first line names columns
WRITTEN = {
    "a,b\n1,2\n3,4\n": (",", '"', True),
    "a;b\n1,5;2,5\n3,5;4,5\n": (";", '"', True),
    "a\tb\n1\t2, 3\n4\t5\n": ("\t", '"', True),
    "a|b\nx, y|2\nz|4\n": ("|", '"', True),
    "a b\n1 2\n3 4\n": (" ", '"', True),
    "first name,last name\nAnn Lee,Bo Chan\nEve Ray,Al Poe\n": (",", '"', True),
    "remark\nwell done\nvery well done\nno\n": (",", '"', True),
    'a,b\n"x;1",2\n"y;2",3\n': (",", '"', True),
    "a,b\n'x,1',2\n'y,2',3\n": (",", "'", True),
    "a,b\nit's,2\ndon't,3\n": (",", '"', True),
    'a,"b\nc",d\n1,2,3\n': (",", '"', True),
    "1,2.5,x\n4,5.5,y\n": (",", '"', True),
    "1,2.5,7\n4,5.5,8\n": (",", '"', False),
    "1,2,3\n4,5,6\n": (",", '"', False),
    "0,1,2\n7,5,6\n": (",", '"', True),
    "2019,2020,2021\n7,5,6\n": (",", '"', True),
    "7\n8\n": (",", '"', False),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_the_dialect_is_told_from_the_text(text: str) -> None:
    dialect = detect(text.encode(), whole=True)
    assert (dialect.delimiter, dialect.quote, dialect.has_header) == WRITTEN[text]


def test_a_line_that_was_cut_off_does_not_count() -> None:
    assert detect(b"a;b;c\n1;2;3\n4,5,6;").delimiter == ";"


def test_blank_lines_before_the_header_are_counted() -> None:
    dialect = detect(b"\n  \na,b\n1,2\n", whole=True)
    assert (dialect.blank_lines, dialect.first, dialect.only_line) == (2, ("a", "b"), False)
    assert detect(b"a,b\n\n", whole=True).only_line


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("latin-1", "utf-8"),  # found out while reading
    ],
)
def test_the_encoding_is_told_from_the_bytes(encoding: str, expected: str) -> None:
    assert encoding_of("name;größe\nEva;1,75\n".encode(encoding)) == expected
