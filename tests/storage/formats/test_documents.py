from __future__ import annotations

from pathlib import Path

import pytest

from flowml.storage.errors import BrokenFile, FileError
from flowml.storage.formats import read

TABLES = {
    "columns.yaml": "a: [1, 2]\nb: [x, null]\n",
    "wrapped.yaml": "# a comment\nrows:\n  - {a: 1, b: x}\n  - {a: 2, b: ~}\n",
    "documents.yaml": "---\na: 1\nb: x\n---\na: 2\nb: null\n...\n",
    "quoted.yaml": '- "a": 1\n  \'b\': "x"\n- a: 2\n',
    "columns.toml": 'a = [1, 2]\nb = ["x", "NA"]\n',
    "wrapped.toml": 'title = "things"\n[[things]]\na = 1\nb = "x"\n\n[[things]]\na = 2\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_a_text_by_hand_is_a_table_whatever_its_name(tmp_path: Path, name: str) -> None:
    for called in (name, "table.csv"):
        (tmp_path / called).write_text(TABLES[name])
        frame, found = read(tmp_path / called, called)
        assert found == name.rpartition(".")[2]
        assert frame.rows() == [(1, "x"), (2, None)]


REFUSED = {
    "alias.yaml": ("- &a {b: 1}\n- *a\n", r"Line 2 of the YAML has an alias \(\*a\)"),
    "merge.yaml": ("- &a\n  b: 1\n- <<: *a\n", "has an alias"),
    "tag.yaml": ("- !!python/object/apply:os.system ['true']\n- {a: 1}\n", "objects are never made"),
    "own_tag.yaml": ("- !mine {a: 1}\n- {a: 2}\n", "has the tag '!mine'"),
    "deep.yaml": ("---\n" + "[" * 200 + "]" * 200, "nested too deeply"),
    "very_deep.yaml": ("---\n" + "[" * 20_000 + "]" * 20_000, "nested too deeply|damaged"),
    "key.yaml": ("---\n? [1]\n: 2\n", "a key that is no text"),
    "cut.yaml": ("- {a: 1}\n- {a: ", "damaged"),
    "day.yaml": ("- a: 2020-02-30\n- a: 1\n", "a value that is none"),
    "cut.toml": ("[[t]]\na = 1\n[[t]]\na = ", "damaged"),
    "twice.toml": ("[[t]]\na = 1\na = 2\n", "damaged"),
    "deep.toml": ("a = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_do_harm_is_refused_with_its_cause(tmp_path: Path, name: str) -> None:
    text, said = REFUSED[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(BrokenFile, match=said):
        read(tmp_path / name, name)


@pytest.mark.parametrize("text", ["a,b\nx: y,1\n", "time: 12:30,b\n1,2\n", "key = value,b\n1,2\n"])
def test_a_csv_with_signs_of_a_document_stays_a_csv(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    assert read(tmp_path / "t.csv", "t.csv")[1] == "csv"


def test_null_bytes_and_other_encodings_are_named(tmp_path: Path) -> None:
    for content in (b"- a: 1\n- a: \0\n", b"- a: Gr\xf6\xdfe\n"):
        (tmp_path / "t.yaml").write_bytes(content)
        with pytest.raises(FileError, match=r"NUL byte|not in UTF-8"):
            read(tmp_path / "t.yaml", "t.yaml")
