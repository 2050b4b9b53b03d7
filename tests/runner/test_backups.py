"""A backup taken under load, restored on a clean folder: the same datasets, jobs, models and predictions."""

from __future__ import annotations

import io
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from flowml.runner import backups, local
from flowml.runner.fit import Silent
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage import jobs, logs, models
from flowml.storage.errors import BrokenFile, Conflict
from flowml.storage.records import Job, JobKind, JobSpec, JobState, Level, LogLine, Model, Task


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ONNX file of a small model that predicts y from x."""
    folder = tmp_path_factory.mktemp("trained")
    frame = pl.DataFrame(
        {"x": [n // 3 + 0.5 for n in range(60)], "y": ["yes" if n >= 31 else "no" for n in range(60)]}
    )
    frame.write_csv(folder / "t.csv")
    spec = JobSpec("y", budget_s=30, algorithms=("logistic",), max_trials=1)
    local.train(folder / "t.csv", spec, folder / "out", Silent())
    return folder / "out" / "model.onnx"


@pytest.fixture
def studio(home: Path) -> Iterator[Studio]:
    studio = Studio(Settings(home=home, workers=0))
    studio.start()
    yield studio
    studio.stop()


def fill(studio: Studio, trained: Path, folder: Path) -> str:
    """A dataset, an ended job on it and its model; gives the model's id."""
    client = studio.client
    table = folder / "t.csv"
    table.write_text("x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(40)))
    dataset = client.add_dataset(table, "t")
    job = Job(
        "job-1", JobKind.TRAINING, JobState.FINISHED, JobSpec("y", dataset_id=dataset.id), 1.0,
        dataset_sha256=dataset.sha256, champion="model-1",
    )  # fmt: skip
    onnx = client._artifacts.put_file(trained)
    with client._db.write() as cursor:
        jobs.insert(cursor, job)
        models.insert(
            cursor, Model("model-1", "job-1", "m", "logistic", Task.BINARY, "roc_auc", 0.9, 1.0, onnx)
        )
    return "model-1"


def test_a_backup_under_load_comes_back_whole(
    studio: Studio, trained: Path, home: Path, tmp_path: Path
) -> None:
    model, client = fill(studio, trained, tmp_path), studio.client
    (home / "settings.toml").write_text("default_budget = '2m'\n")
    busy = threading.Event()

    def load() -> None:
        while not busy.is_set():
            with client._db.write() as cursor:
                logs.append(cursor, [LogLine(time.time(), Level.INFO, "w", "load")] * 50)
            client._artifacts.put_bytes(str(time.time()).encode())

    thread = threading.Thread(target=load)
    thread.start()
    try:
        time.sleep(0.2)
        content = b"".join(client.backup())
    finally:
        busy.set()
        thread.join()
    rows = [{"x": 5.0}, {"x": 18.0}, {"x": None}]
    before = studio.serving.predict(model, rows)
    told = (client.datasets(), client.jobs(), client.models())

    again = Settings(home=tmp_path / "again", workers=0)
    about = backups.restore(io.BytesIO(content), again)
    assert (about.artifacts, about.missing) == (2, ())
    assert Settings.from_environ({"FLOWML_HOME": str(again.home)}).default_budget == 120
    other = Studio(again)
    other.start()
    try:
        assert (other.client.datasets(), other.client.jobs(), other.client.models()) == told
        after = other.serving.predict(model, rows)
        assert after.values.tolist() == before.values.tolist()
        assert before.probabilities is not None
        assert after.probabilities is not None
        assert after.probabilities.tolist() == before.probabilities.tolist()
        assert other.client.preview(told[0][0].id, 1)["rows"] == [[0, 0]]
    finally:
        other.stop()


def test_a_backup_is_not_put_over_a_studio(studio: Studio) -> None:
    content = b"".join(studio.client.backup())
    with pytest.raises(Conflict, match="already"):
        backups.restore(io.BytesIO(content), studio.settings)


def made(*members: tuple[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return content.getvalue()


ABOUT = b'{"format": 1, "version": "0.1.0", "made_at": 1, "artifacts": 1}'
HOSTILE = [
    (b"", "no whole backup"),
    (b"PK\x03\x04" * 200, "no whole backup"),
    (made(("flowml.duckdb", b"x")), "begins with"),
    (made(("flowml-backup.json", b"[")), "description"),
    (
        made(("flowml-backup.json", b'{"format": 9, "version": "9", "made_at": 1, "artifacts": 0}')),
        "format 9",
    ),
    (made(("flowml-backup.json", ABOUT)), "ends early"),
    (made(("flowml-backup.json", ABOUT), ("../evil", b"x")), "'../evil' in it"),
    (made(("flowml-backup.json", ABOUT), ("/etc/evil", b"x")), "in it"),
    (made(("flowml-backup.json", ABOUT), ("artifacts/../../evil", b"x")), "in it"),
    (made(("flowml-backup.json", ABOUT), ("artifacts/" + "a" * 64, b"x")), "not what its name says"),
]


@pytest.mark.parametrize(("content", "words"), HOSTILE)
def test_what_is_no_whole_backup_is_refused_and_leaves_no_studio(
    content: bytes, words: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "new")
    with pytest.raises(BrokenFile, match=words):
        backups.restore(io.BytesIO(content), settings)
    assert not settings.database.exists()
    assert not list(tmp_path.rglob("*evil*"))


def test_a_backup_that_was_cut_is_refused(studio: Studio, trained: Path, tmp_path: Path) -> None:
    fill(studio, trained, tmp_path)
    content = b"".join(studio.client.backup())
    for length in (len(content) // 2, len(content) - 2000):
        with pytest.raises(BrokenFile):
            backups.restore(io.BytesIO(content[:length]), Settings(home=tmp_path / "new"))


def test_a_backup_whose_tables_or_settings_were_changed_is_refused(
    studio: Studio, home: Path, tmp_path: Path
) -> None:
    (home / "settings.toml").write_text("default_budget = '2m'\n")
    content = b"".join(studio.client.backup())
    new = Settings(home=tmp_path / "new")
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        for name in ("flowml.duckdb", "settings.toml"):
            changed, member = bytearray(content), tar.getmember(name)
            changed[member.offset_data + member.size // 2] ^= 1
            with pytest.raises(BrokenFile, match=f"content of {name} is not"):
                backups.restore(io.BytesIO(changed), new)
    assert list(new.home.glob("*.*")) == []


def test_a_file_that_is_gone_is_told_of(studio: Studio, trained: Path, tmp_path: Path) -> None:
    fill(studio, trained, tmp_path)
    client = studio.client
    gone = client.models()[0].onnx.sha256
    client._artifacts.delete(gone)
    about = backups.restore(io.BytesIO(b"".join(client.backup())), Settings(home=tmp_path / "new"))
    assert (about.artifacts, about.missing) == (1, (gone,))
