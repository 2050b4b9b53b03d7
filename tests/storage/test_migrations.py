from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from flowml.storage import jobs, logs, migrations, models, offsets, seen, trials, workers
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import StorageError
from flowml.storage.records import SHARED


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


RELEASED = Path(__file__).with_name("released")


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A database as the first release left it: its schema, and a row in each table."""
    path = tmp_path / "flowml.duckdb"
    with duckdb.connect(str(path)) as connection:
        for step in migrations.steps()[:2]:
            migrations.apply(connection, step)
        connection.execute((RELEASED / "0.1.0.sql").read_text("utf-8"))
    return path


def test_all_of_the_first_release_is_read_after_the_upgrade(released: Path, tmp_path: Path) -> None:
    db = Database(released)
    datasets = Datasets(db, LocalArtifacts(tmp_path / "artifacts"), 10**9)
    (dataset,) = datasets.list_()
    assert (dataset.name, dataset.version, dataset.project, dataset.schema.rows) == ("churn", 2, SHARED, 20)
    with db.read() as cursor:
        job, model = jobs.get(cursor, "job-1"), models.get(cursor, "model-1")
        assert (job.best_score, job.project, job.owner) == (0.75, SHARED, "")
        assert jobs.list_(cursor, projects=[SHARED]) == (job,)
        assert (model.champion, models.project(cursor, model.id)) == (True, SHARED)
        assert [row.name for row in models.leaderboard(cursor, "job-1")] == ["Logistic 1"]
        assert [trial.algorithm for trial in trials.list_(cursor, "job-1")] == ["logistic"]
        assert [worker.name for worker in workers.list_(cursor)] == ["w"]
        assert [line.job_id for line in logs.query(cursor, projects=[SHARED])] == ["job-1"]
        assert offsets.get(cursor, "flowml:facts@x") == "5-0"
        assert seen.known(cursor, ["fact-1", "fact-2"]) == {"fact-1"}
    with db.write() as cursor:
        assert jobs.update(cursor, "job-1", project="project-1").project == "project-1"
        assert jobs.list_(cursor, projects=[SHARED]) == ()
    assert datasets.move(dataset.id, "user-1").version == 1
    db.close()
    assert len(list(tmp_path.glob("flowml.before-*.duckdb"))) == 1
