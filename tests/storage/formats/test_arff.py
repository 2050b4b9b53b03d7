from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from flowml.storage.errors import FileError
from flowml.storage.formats import read

HEAD = "@relation r\n@attribute n numeric\n@attribute 'k k' {a, 'b c', \"d\"}\n@attribute t DATE yyyy-MM-dd\n"


def test_full_and_sparse_rows_are_read(tmp_path: Path) -> None:
    rows = "1.5,'b c',2020-01-02\n{1 d, 2 2021-03-04}\n?,?,?\n{0 7}\n"
    (tmp_path / "t.arff").write_text(f"% made by hand\n\n{HEAD}@DATA\n{rows}")
    frame, found = read(tmp_path / "t.arff", "t.csv")
    assert (found, frame.columns) == ("arff", ["n", "k k", "t"])
    assert frame.rows() == [
        (1.5, "b c", dt.date(2020, 1, 2)),
        (0.0, "d", dt.date(2021, 3, 4)),
        (None, None, None),
        (7.0, "a", None),
    ]


REFUSED = {
    "no data": (HEAD, "no line @data"),
    "no rows": (HEAD + "@data\n", "no rows after @data"),
    "no columns": ("@relation r\n@data\n1\n", "names no column"),
    "short row": (HEAD + "@data\n1,a\n", "Line 6 has 2 values; the header names 3"),
    "word": (HEAD + "@data\none,a,2020-01-01\n", "holds 'one', which is no number"),
    "date": (HEAD + "@data\n1,a,01/02/2020\n", "no date of the form"),
    "type": ("@relation r\n@attribute a relational\n@data\n1\n", "a column of type 'relational'"),
    "place": (HEAD + "@data\n{9 1}\n", "column 9, which is not there"),
    "line": ("@relation r\nwhat\n@data\n1\n", "Line 2 is none of an ARFF header"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, kind: str) -> None:
    text, said = REFUSED[kind]
    (tmp_path / "t.arff").write_text(text)
    with pytest.raises(FileError, match=said):
        read(tmp_path / "t.arff", "t.arff")
