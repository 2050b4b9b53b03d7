from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from flowml.storage import offsets
from flowml.storage.db import MEMORY, Cursor, Database
from flowml.storage.errors import StorageError


def test_a_block_that_ends_well_is_kept_and_one_that_fails_leaves_nothing(db: Database) -> None:
    with db.write() as cursor:
        offsets.put(cursor, "facts", "1-0")

    def half_a_change() -> None:
        with db.write() as cursor:
            offsets.put(cursor, "facts", "2-0")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_a_change()
    with db.read() as cursor:
        assert offsets.get(cursor, "facts") == "1-0"


def test_threads_read_and_write_side_by_side(db: Database) -> None:
    def bump(_: int) -> str:
        with db.write() as cursor:
            offsets.put(cursor, "facts", str(int(offsets.get(cursor, "facts")) + 1))
        with db.read() as cursor:
            return offsets.get(cursor, "facts")

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(bump, range(60)))
    assert max(map(int, seen)) == 60


def test_transact_tries_again_when_changes_meet(db: Database) -> None:
    tries: list[int] = []

    def change(cursor: Cursor) -> str:
        tries.append(1)
        offsets.put(cursor, "facts", "9-0")
        if len(tries) < 3:
            raise duckdb.TransactionException("Conflict on update")
        return offsets.get(cursor, "facts")

    assert db.transact(change) == "9-0"
    assert len(tries) == 3


def test_what_passes_by_leaves_the_generation_as_it_is(db: Database) -> None:
    before = db.generation
    with db.write(passing=True) as cursor:
        offsets.put(cursor, "facts", "1-0")
    db.transact(lambda cursor: offsets.put(cursor, "facts", "2-0"), passing=True)
    assert db.generation == before
    db.transact(lambda cursor: offsets.put(cursor, "facts", "3-0"))
    assert db.generation == before + 1


def test_write_inside_write_is_refused_instead_of_waiting_for_ever(db: Database) -> None:
    with db.write(), pytest.raises(StorageError, match="inside write"), db.write():
        pass


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "new" / "flowml.duckdb"
    for expected in ("0", "5-0"):
        db = Database(path)
        with db.write() as cursor:
            assert offsets.get(cursor, "facts") == expected
            offsets.put(cursor, "facts", "5-0")
        db.close()


def test_a_second_process_is_told_who_holds_the_file(db: Database) -> None:
    script = (
        "import sys; from pathlib import Path; from flowml.storage.db import Database\n"
        "from flowml.storage.errors import StorageError\n"
        "try: Database(Path(sys.argv[1]))\n"
        "except StorageError as error: sys.exit(str(error))"
    )
    second = subprocess.run([sys.executable, "-c", script, str(db.path)], capture_output=True, text=True)
    assert f"in use by process {os.getpid()}" in second.stderr


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flowml.duckdb"
    path.write_bytes(b"hello" * 1000)
    with pytest.raises(StorageError, match="is no DuckDB database"):
        Database(path)


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        Database(tmp_path / "file" / "flowml.duckdb")


def test_a_snapshot_opens_elsewhere_with_its_keys(db: Database, tmp_path: Path) -> None:
    with db.write() as cursor:
        offsets.put(cursor, "facts", "7-0")
    for _ in range(2):  # the second replaces the first
        db.snapshot(tmp_path / "copy.duckdb")
    copy = Database(tmp_path / "copy.duckdb")
    with copy.write() as cursor:
        assert offsets.get(cursor, "facts") == "7-0"
        offsets.put(cursor, "facts", "8-0")
        assert offsets.get(cursor, "facts") == "8-0"
    copy.close()


def test_a_database_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Database(MEMORY).close()
    assert list(tmp_path.iterdir()) == []


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from flowml.storage import offsets\n"
        "from flowml.storage.db import Database\n"
        "db = Database(Path(sys.argv[1]))\n"
        "for number in range(1, 10_000):\n"
        "    with db.write() as cursor: offsets.put(cursor, 'facts', str(number))\n"
        "    print(number, flush=True)\n"
    )
    path = tmp_path / "flowml.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(30)]
        writer.kill()
    db = Database(path)
    with db.read() as cursor:
        assert int(offsets.get(cursor, "facts")) >= told[-1]
    db.close()
