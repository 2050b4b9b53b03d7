from __future__ import annotations

import pytest

from flowml.storage.names import unique_names

WRITTEN: dict[tuple[str, ...], tuple[str, ...]] = {
    ("a", "b"): ("a", "b"),
    (" a\n b ", "b"): ("a b", "b"),
    ("a", "a", "a"): ("a", "a_2", "a_3"),
    ("a", "a_2", "a"): ("a", "a_2", "a_3"),
    ("a", "a", "a_2"): ("a", "a_3", "a_2"),
    ("", "x", " "): ("column_1", "x", "column_3"),
    ("", "column_1"): ("column_1_2", "column_1"),
    ("a\0b", "x" * 300): ("ab", "x" * 200),
    ("A", "a"): ("A", "a"),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_names_become_unique_and_stay_as_near_as_can_be(written: tuple[str, ...]) -> None:
    assert unique_names(written)[0] == WRITTEN[written]


def test_each_name_that_could_not_stay_is_told() -> None:
    _, findings = unique_names(("a", " a ", "", "b "))
    assert [(finding.kind, finding.column) for finding in findings] == [
        ("duplicate_column", "a_2"),
        ("unnamed_column", "column_3"),
    ]


def test_a_name_that_libraries_take_for_a_pattern_is_changed() -> None:
    names, findings = unique_names(["^a.*$", "*", "a", "^b", "$", "a*"])
    assert names == ("a.", "column_2", "a", "^b", "$", "a*")
    assert [finding.kind for finding in findings] == ["renamed_column", "renamed_column"]
