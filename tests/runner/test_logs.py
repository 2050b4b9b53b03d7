from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowml.runner import logs
from flowml.runner.settings import Settings
from flowml.storage.records import FactKind, Json, Level


@pytest.fixture
def told() -> Iterator[list[Json]]:
    yield []
    logs.take_down()
    logging.getLogger("flowml").setLevel(logging.NOTSET)


def set_up(settings: Settings, told: list[Json]) -> None:
    def put(kind: FactKind, body: Json) -> None:
        assert kind is FactKind.LOG
        told.append(body)

    logs.set_up(settings, "studio", put, settings.logs / "studio.log")


def test_a_record_becomes_a_line(home: Path, told: list[Json]) -> None:
    set_up(Settings(home=home), told)
    logging.getLogger("flowml.test").warning("Trial %d failed", 3, extra={"job_id": "job-1", "trial": 3})
    (line,) = told
    expected = {
        "level": "warning",
        "source": "studio",
        "message": "Trial 3 failed",
        "job_id": "job-1",
        "trial": 3,
    }
    assert line == {**expected, "at": line["at"]}
    assert "WARNING flowml.test: Trial 3 failed" in (home / "logs" / "studio.log").read_text()


def test_secrets_are_hidden_everywhere(
    home: Path, told: list[Json], capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(Settings(home=home, secret_key="hunter22"), told)
    logging.getLogger("flowml.test").error("with hunter22 at redis://me:pw12@host/0 \x1b[31mred\x1b[0m")
    shown = told[0]["message"] + (home / "logs" / "studio.log").read_text() + capsys.readouterr().err
    assert "hunter22" not in shown
    assert "pw12" not in shown
    assert "redis://me:***@host/0 red" in told[0]["message"]


def test_files_are_turned_over_and_the_oldest_go(
    home: Path, told: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 500)
    set_up(Settings(home=home), told)
    for number in range(60):
        logging.getLogger("flowml.test").warning("Line %d of many, long enough to fill a small file", number)
    files = sorted((home / "logs").iterdir())
    assert [path.name for path in files] == ["studio.log", *(f"studio.log.{n}" for n in (1, 2, 3))]
    assert all(path.stat().st_size <= 500 for path in files)
    assert "Line 59 " in files[0].read_text()
    assert len(told) == 60


def test_chatter_is_left_out(home: Path, told: list[Json]) -> None:
    set_up(Settings(home=home), told)
    logging.getLogger("flowml.test").debug("detail")
    logging.getLogger("rq.worker").info("chatter")
    logging.getLogger("urllib3").info("chatter")
    logging.getLogger("flowml.test").info("news")
    assert [line["message"] for line in told] == ["news"]


def test_every_level_has_a_name_of_ours() -> None:
    assert set(logs.LEVELS.values()) == set(Level)
    assert logs._level(35) is Level.WARNING
    assert logs._level(1) is Level.DEBUG
