from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import CliRunner

from flowml.runner import storekeeping
from flowml.runner.home import HomeLock
from flowml.runner.settings import Settings
from flowml.runner.stores import open_artifacts
from flowml.runner.transfer import transfer_of
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, NotFound, SettingError
from flowml.ui.cli import app


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, s3_endpoint="http://127.0.0.1:9", s3_access_key="k", s3_secret_key="s")


def test_the_url_says_where_artifacts_lie(settings: Settings, tmp_path: Path) -> None:
    places = {
        "": str(settings.artifacts),
        f"file://{tmp_path}/a%20b": f"{tmp_path}/a b",
        f"{tmp_path}/plain": f"{tmp_path}/plain",
        "s3://bucket": "s3://bucket",
        "s3://bucket/some/where/": "s3://bucket/some/where",
    }
    for url, place in places.items():
        assert open_artifacts(replace(settings, artifacts_url=url)).place == place
    by_mode = replace(settings, storage_mode="s3", s3_bucket_prefix="mine")
    assert open_artifacts(by_mode).place == "s3://mine-artifacts"


@pytest.mark.parametrize("url", ["http://x/y", "s3://", "relative", "file://host/x"])
def test_a_url_of_no_store_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(SettingError, match="expected s3://BUCKET/PREFIX"):
        open_artifacts(replace(settings, artifacts_url=url))


def test_workers_reach_the_store_that_the_studio_uses(
    settings: Settings, redis: Redis, tmp_path: Path
) -> None:
    (tmp_path / "made").write_bytes(b"made")
    for given in (settings, replace(settings, artifacts_url=f"{tmp_path}/shared")):
        transfer = transfer_of(given, redis, "job-1")
        kept, sent = transfer.deliver(tmp_path / "made"), transfer.send(tmp_path / "made")
        assert open_artifacts(given).path(kept.sha256).read_bytes() == b"made"
        with transfer.receive(sent) as received:
            assert received.read_bytes() == b"made"
        assert [each.sha256 for each in open_artifacts(given).list_()] == [kept.sha256]
        transfer.discard(sent.sha256)
        with pytest.raises(NotFound), transfer.receive(sent):
            pass


def test_the_store_is_kept_by_command_while_the_studio_rests(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWML_HOME", str(home))
    settings = Settings(home=home)
    Database(settings.database).close()
    kept = open_artifacts(settings).put_bytes(b"stray")
    run = CliRunner()
    moved = run.invoke(app, ["storage", "move", "--to", str(tmp_path / "new"), "--json"])
    assert json.loads(moved.output)["copied"] == 1
    assert open_artifacts(settings, str(tmp_path / "new")).has(kept.sha256)
    young = run.invoke(app, ["storage", "gc", "--json"])
    assert json.loads(young.output)["removed"] == 0
    gone = run.invoke(app, ["storage", "gc", "--older", "0s"])
    assert "1 file removed" in gone.output
    assert not open_artifacts(settings).has(kept.sha256)
    assert run.invoke(app, ["storage", "gc", "--older", "long"]).exit_code == 2


def test_a_store_in_use_is_left_alone(settings: Settings) -> None:
    lock = HomeLock(settings.home)
    lock.take()
    with pytest.raises(Conflict, match="runs on the data folder"):
        storekeeping.collect(settings, 0, dry=True)
    lock.release()
    with pytest.raises(Conflict, match=r"lie in .* already"):
        storekeeping.move(settings, str(settings.artifacts), lambda *_: None)
