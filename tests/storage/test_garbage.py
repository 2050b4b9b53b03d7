from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from flowml.storage import garbage, jobs
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.records import Dataset, Job, JobKind, JobSpec, JobState


@pytest.fixture
def artifacts(tmp_path: Path) -> LocalArtifacts:
    return LocalArtifacts(tmp_path / "artifacts")


def _dataset(datasets: Datasets, path: Path, text: str) -> Dataset:
    path.write_text(text)
    return datasets.add(path)


def _job(dataset: Dataset) -> Job:
    spec = JobSpec(target="a", dataset_id=dataset.id)
    return Job("job-1", JobKind.TRAINING, JobState.FINISHED, spec, 1.0, dataset_sha256=dataset.sha256)


def test_only_what_nothing_needs_is_removed(db: Database, artifacts: LocalArtifacts, tmp_path: Path) -> None:
    datasets = Datasets(db, artifacts, 10**6)
    kept, used, unused = (
        _dataset(datasets, tmp_path / "t.csv", f"a,b\n{n},1\n{n},2\n") for n in ("x", "y", "z")
    )
    with db.write() as cursor:
        jobs.insert(cursor, _job(used))
        cursor.execute("INSERT INTO measurement VALUES (?, 'profile', '', 1, '{}')", [unused.sha256])
    datasets.delete(used.id)
    datasets.delete(unused.id)
    stray = artifacts.put_bytes(b"of a job that was deleted")
    before = garbage.collect(db, artifacts, older_s=-1, dry=True)
    assert (before.kept, before.removed) == (2, 2)
    assert garbage.collect(db, artifacts) == dataclasses.replace(before, kept=4, removed=0, freed=0)
    done = garbage.collect(db, artifacts, older_s=-1)
    assert done == before
    assert done.freed == stray.size + unused.size
    assert {each.sha256 for each in artifacts.list_()} == {kept.sha256, used.sha256}


def test_every_table_that_names_contents_is_known() -> None:
    """A new table with a column of texts keeps what it names, unless it is listed as passing."""
    from flowml.storage.db import MEMORY

    database = Database(MEMORY)
    with database.read() as cursor:
        tables = {table for table, _ in cursor.execute(garbage.COLUMNS).fetchall()}
    database.close()
    assert set(garbage.PASSING) <= tables
