"""Large text that is read while it is received."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flowml.storage import ahead, datasets, intake
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import BrokenFile

TABLE = b"when,amount\n" + b"".join(b"2024-01-%02d,%d\n" % (n % 28 + 1, n) for n in range(900))
HALF = len(TABLE) // 2


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Datasets]:
    monkeypatch.setattr(ahead, "LARGE", 0)
    with closing(Database(tmp_path / "flowml.duckdb")) as db:
        kept = Datasets(db, LocalArtifacts(tmp_path / "artifacts"), 10**9)
        yield kept
        kept.close()
    assert not list(tmp_path.glob(f"{datasets.WORK}*"))


def half(kept: Datasets, path: Path, table: bytes = TABLE) -> Path:
    path.write_bytes(table[:HALF])
    kept.arrive(path, "t.csv", len(table), 0, HALF)
    return path


def rest(kept: Datasets, path: Path, table: bytes = TABLE, first: int = HALF) -> None:
    path.write_bytes(table)
    kept.arrive(path, "t.csv", len(table), first, len(table))


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was read anew")

    monkeypatch.setattr(intake, "convert", refuse)


def test_what_was_read_while_it_came_is_the_dataset(
    kept: Datasets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = tmp_path / "once.csv"
    once.write_bytes(TABLE)
    expected = kept.add(once, source="t.csv")
    forbid_reading(monkeypatch)
    path = half(kept, tmp_path / "a.upload")
    rest(kept, path)
    added = kept.add(path, source="t.csv")
    assert (added.schema, added.sha256, added.format) == (expected.schema, expected.sha256, "csv")


def test_it_is_read_anew_where_a_part_came_again(kept: Datasets, tmp_path: Path) -> None:
    path = half(kept, tmp_path / "a.upload")
    other = TABLE.replace(b"2024", b"2023")
    rest(kept, path, other, first=10)
    column = kept.add(path, source="t.csv").schema.columns[0]
    assert column.minimum == "2023-01-01"


def test_it_is_read_anew_where_the_child_was_lost(kept: Datasets, tmp_path: Path) -> None:
    path = half(kept, tmp_path / "a.upload")
    os.kill(kept._ahead[path]._reader._child.pid, signal.SIGKILL)
    rest(kept, path)
    assert kept.add(path, source="t.csv").rows == 900


def test_what_is_wrong_is_told_as_ever(kept: Datasets, tmp_path: Path) -> None:
    table = TABLE + b"1,2,3\n"
    path = half(kept, tmp_path / "a.upload", table)
    rest(kept, path, table)
    with pytest.raises(BrokenFile, match="line 902 has 3"):
        kept.add(path, source="t.csv")


def test_one_is_read_at_a_time_and_ends_where_it_is_forgotten(kept: Datasets, tmp_path: Path) -> None:
    first = half(kept, tmp_path / "a.upload")
    second = half(kept, tmp_path / "b.upload")
    child = kept._ahead[first]._reader._child
    assert list(kept._ahead) == [first]
    kept.forget(first)
    assert child.poll() is not None
    rest(kept, second)
    assert kept.add(second, source="t.csv").rows == 900


def test_a_child_that_hears_nothing_for_long_ends(
    kept: Datasets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "IDLE_S", 0.01)
    path = half(kept, tmp_path / "a.upload")
    assert kept._ahead[path]._reader._child.wait(20) != 0
    rest(kept, path)
    assert kept.add(path, source="t.csv").rows == 900


LARGE, SMALL = 10**9, 10


@pytest.mark.parametrize(
    ("name", "size", "begins"), [("t.csv", LARGE, True), ("t.csv", SMALL, False), ("t.parquet", LARGE, False)]
)
def test_only_large_text_is_read_so(name: str, size: int, begins: bool) -> None:
    assert ahead.fits(name, size) is begins
