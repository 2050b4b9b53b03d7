"""Asking for a file of answers over REST; that the answers come is told in `test_whole_way`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

FILE = {"file": ("rows.csv", b"petals\n1\n")}


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"files": FILE}, 404, "no model nothing"),
        ({"files": FILE, "data": {"format": "docx"}}, 422, "docx"),
        ({"files": {"rows": ("rows.csv", b"1")}}, 422, "no part 'file'"),
        ({"json": {"dataset_id": "d"}}, 404, "no model nothing"),
        ({"json": {"dataset_id": "d", "format": "docx"}}, 422, "format"),
        ({"json": {"dataset": "d"}}, 422, "dataset_id"),
        ({"content": b"nonsense"}, 422, "body"),
        ({"content": b"x" * 100_000}, 422, "too long"),
    ],
)
def test_what_cannot_be_asked_is_said(
    api: httpx.Client, asked: dict[str, Any], status: int, words: str
) -> None:
    answer = api.post("/results/model/nothing/batch", **asked)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]


def test_what_is_not_there_is_said(api: httpx.Client) -> None:
    assert api.get("/results/batch").json() == []
    for path in ("/results/batch/nothing", "/results/batch/nothing/download"):
        assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"files": FILE}, 404, "no model nothing"),
        ({"json": {"dataset_id": "d"}}, 404, "no dataset d"),
        ({"json": {"dataset_id": "d", "format": "csv"}}, 422, "format"),
        ({"files": {"rows": ("rows.csv", b"1")}}, 422, "no part 'file'"),
    ],
)
def test_what_cannot_be_compared_is_said(
    api: httpx.Client, asked: dict[str, Any], status: int, words: str
) -> None:
    answer = api.post("/results/model/nothing/drift", **asked)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
