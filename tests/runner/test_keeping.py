"""What an administrator looks after: settings in force, room, garbage; and licences of what FlowML needs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flowml.runner import licences
from flowml.runner.inforce import COMMAND_LINE, in_force
from flowml.runner.settings import SETTINGS, Settings
from flowml.storage import garbage
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.db import MEMORY, Database

DAY_S = 86_400.0


def test_a_setting_in_force_says_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("concurrent_jobs = 5\n")
    environ = {"FLOWML_HOME": str(tmp_path), "FLOWML_S3_SECRET_KEY": "hidden-from-all"}
    settings = Settings.from_environ(environ)
    found = {each.setting.field: each for each in in_force(settings, environ, tmp_path / ".env")}
    assert [each.setting for each in found.values()] == list(SETTINGS)
    assert found["concurrent_jobs"].origin.endswith("settings.toml")
    assert found["s3_secret_key"].shown == "***"
    assert found["port"].origin == "default"


def test_what_was_given_on_the_command_line_is_said_so(tmp_path: Path) -> None:
    environ = {"FLOWML_HOME": str(tmp_path), "FLOWML_PORT": "9000"}
    found = {each.setting.field: each for each in in_force(Settings(home=tmp_path, port=9001), environ)}
    assert (found["port"].value, found["port"].origin) == (9001, COMMAND_LINE)
    found = {each.setting.field: each for each in in_force(Settings(home=tmp_path), environ)}
    assert (found["port"].value, found["port"].origin) == (8501, "default")


def test_a_file_that_was_spoilt_since_the_start_does_not_end_the_look(tmp_path: Path) -> None:
    environ = {"FLOWML_HOME": str(tmp_path), "FLOWML_PORT": "many"}
    assert len(in_force(Settings(home=tmp_path), environ)) == len(SETTINGS)


def aged(artifacts: LocalArtifacts, content: bytes, days: float) -> str:
    sha256 = artifacts.put_bytes(content).sha256
    long_ago = time.time() - days * DAY_S
    os.utime(artifacts.path(sha256), (long_ago, long_ago))
    return sha256


def test_only_what_is_old_and_unneeded_is_collected_beside_a_studio(tmp_path: Path) -> None:
    artifacts, db = LocalArtifacts(tmp_path), Database(MEMORY)
    old, young = aged(artifacts, b"old", 9), aged(artifacts, b"young", 1)
    needed = aged(artifacts, b"needed", 9)
    with db.write() as cursor:
        cursor.execute("INSERT INTO job_leaderboard VALUES ('job-1', ?)", [f'["{needed}"]'])
    done = garbage.collect_beside(db, artifacts, 7 * DAY_S)
    assert (done.removed, done.kept, done.freed) == (1, 2, 3)
    assert [artifacts.has(sha256) for sha256 in (old, young, needed)] == [False, True, True]
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_a_content_that_is_put_again_is_young_again(tmp_path: Path) -> None:
    artifacts = LocalArtifacts(tmp_path)
    sha256 = aged(artifacts, b"same", 30)
    artifacts.put_bytes(b"same")
    assert not artifacts.delete_older(sha256, time.time() - DAY_S)
    assert artifacts.path(sha256).read_bytes() == b"same"


def test_a_content_that_is_put_while_it_is_collected_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at its age and the removal, whoever puts it wins."""
    artifacts = LocalArtifacts(tmp_path)
    sha256 = aged(artifacts, b"same", 30)
    rename = Path.rename

    def put_first(path: Path, target: Path) -> Path:
        artifacts.put_bytes(b"same")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", put_first)
    assert not artifacts.delete_older(sha256, time.time() - DAY_S)
    assert artifacts.path(sha256).read_bytes() == b"same"


def test_every_package_has_a_licence() -> None:
    found = {package.name.lower(): package for package in licences.packages()}
    assert {"streamlit", "duckdb", "optuna", "numpy", "lightgbm"} <= set(found)
    assert not [package.name for package in found.values() if not (package.version and package.licence)]
    assert "pytest" not in found
