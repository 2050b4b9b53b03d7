"""A corpus of hostile and broken files: each is refused with its cause, or read, within narrow limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowml.storage import intake
from flowml.storage.errors import FileError
from flowml.storage.intake import Request
from flowml.storage.records import Json
from tests.storage import hostile
from tests.storage.reading import Reading

MEMORY = 512 << 20
SECONDS = 30.0  # of a processor; one of today needs 3 for the largest, and twice that beside others
LIMIT = 2 * 10**9
CORPUS = hostile.corpus()
SAYS_NOTHING = ("made", "crashed", "cannot be read")  # of a cause
REFUSALS = {"empty_file", "unknown_format", "broken_file", "file_too_large", "unknown_table"}


def ask(reading: Reading, path: Path, target: Path | None) -> Json:
    work = path.parent / "work"
    work.mkdir(exist_ok=True)
    memory = intake._memory_for(0, MEMORY)
    return reading.ask(Request(str(path), path.name, str(work), memory, 60.0, LIMIT, str(target or "")))


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 200


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_file_is_refused_with_its_cause_or_read(
    reading: Reading, tmp_path: Path, name: str
) -> None:
    content = CORPUS[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content())
    target = tmp_path / "table.parquet"
    answered = ask(reading, tmp_path / name, target)
    assert answered["seconds"] < SECONDS
    assert answered["peak"] < MEMORY * 1.1  # it may be seen a moment late
    if "error" in answered:
        error = answered["error"]
        assert error["code"] in REFUSALS, error
        assert not error["message"].startswith(tuple(f"{name} {verb}" for verb in SAYS_NOTHING)), error
        assert str(tmp_path) not in error["message"]
        assert error["advice"] or error["code"] in ("unknown_format",)
    assert {each.name for each in tmp_path.iterdir()} <= {name, "work", "table.parquet"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("far-cell.xlsx", "of memory to be read"),
        ("constant-bomb.parquet", "of memory to be read"),
        ("laughs.yaml", "alias"),
    ],
)
def test_the_studio_outlives_what_ends_a_reader(tmp_path: Path, name: str, said: str) -> None:
    content = CORPUS[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content())
    with pytest.raises(FileError, match=said):
        intake.convert(tmp_path / name, name, tmp_path / "table.parquet", LIMIT)
    assert {each.name for each in tmp_path.iterdir()} <= {name, "table.parquet"}
