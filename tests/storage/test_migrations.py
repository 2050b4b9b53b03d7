from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from flowml.storage import migrations, offsets
from flowml.storage.db import Database
from flowml.storage.errors import StorageError


def test_versions_count_from_one_without_gaps() -> None:
    assert [step.version for step in migrations.steps()] == list(range(1, len(migrations.steps()) + 1))


def test_a_new_database_is_of_the_newest_version_and_no_snapshot_is_made(db: Database) -> None:
    with db.read() as cursor:
        assert migrations.version(cursor) == migrations.steps()[-1].version
    assert not list(db.path.parent.glob("*.before-*"))


def with_a_later_step(folder: Path, sql: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Lays the known steps and one more into a folder, as a newer program would bring them."""
    for step in migrations.steps():
        (folder / step.name).write_text(step.sql, "utf-8")
    version = migrations.steps()[-1].version + 1
    (folder / f"{version:04}_later.sql").write_text(sql, "utf-8")
    monkeypatch.setattr(migrations, "FOLDER", folder)
    return version


def test_an_older_database_is_saved_and_then_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flowml.duckdb"
    old = Database(path)
    with old.write() as cursor:
        offsets.put(cursor, "facts", "3-0")
    old.close()
    (tmp_path / "steps").mkdir()
    version = with_a_later_step(tmp_path / "steps", "CREATE TABLE later (id VARCHAR)", monkeypatch)

    new = Database(path)
    with new.read() as cursor:
        assert offsets.get(cursor, "facts") == "3-0"
        assert cursor.execute("SELECT * FROM later").fetchall() == []
    new.close()
    with duckdb.connect(str(tmp_path / f"flowml.before-{version:04}.duckdb"), read_only=True) as saved:
        assert migrations.version(saved) == version - 1
        assert saved.execute("SELECT id FROM stream_offset").fetchall() == [("3-0",)]


def test_a_step_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flowml.duckdb"
    Database(path).close()
    (tmp_path / "steps").mkdir()
    with monkeypatch.context() as patch:
        with_a_later_step(tmp_path / "steps", "CREATE TABLE half (id VARCHAR); SELECT broken", patch)
        with pytest.raises(duckdb.BinderException):
            Database(path)
    db = Database(path)
    with db.read() as cursor:
        tables = [name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    db.close()
    assert "job" in tables
    assert "half" not in tables


def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flowml.duckdb"
    Database(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO schema_migration VALUES (9999, 0)")
    with pytest.raises(StorageError, match="version 9999"):
        Database(path)
