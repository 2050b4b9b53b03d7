from __future__ import annotations

import json
import logging
import re
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
    (shown,) = (home / "logs" / "studio.log").read_text().splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WARNING flowml.test \[job-1 trial 3\]: Trial 3 failed", shown
    )


def test_in_a_process_of_one_job_each_record_bears_its_id(home: Path, told: list[Json]) -> None:
    logs.set_up(Settings(home=home), "worker-a", lambda _, body: told.append(body), job_id="job-2")
    logging.getLogger("flowml.test").warning("Slow")
    logging.getLogger("flowml.test").warning("Another", extra={"job_id": "job-9"})
    logging.getLogger("elsewhere").error("A library fails", extra={"trial": 0})
    assert [(line["job_id"], line.get("trial")) for line in told] == [
        ("job-2", None),
        ("job-9", None),
        ("job-2", 0),
    ]


def lines_of(home: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (home / "logs" / "studio.log").read_text().splitlines()]


def test_json_is_one_object_a_line(home: Path, told: list[Json], capsys: pytest.CaptureFixture[str]) -> None:
    set_up(Settings(home=home, log_format="json", secret_key='hun"ter\\22'), told)
    log = logging.getLogger("flowml.test")
    log.info("Grüße\nand %s", 'hun"ter\\22', extra={"job_id": "job-1", "trial": 3})
    try:
        raise ValueError("redis://me:pw12@host/0")
    except ValueError:
        log.exception("It failed")
    first, second = lines_of(home)
    known = {"level": "info", "source": "studio", "logger": "flowml.test", "job_id": "job-1", "trial": 3}
    assert first == {**known, "at": first["at"], "message": "Grüße\nand ***"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(first["at"]))
    assert second.keys() == {"at", "level", "source", "logger", "message", "trace"}
    assert str(second["trace"]).startswith("Traceback")
    assert "redis://me:***@host/0" in str(second["trace"])
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert told[0]["message"] == "Grüße\nand ***"


def test_what_libraries_write_by_themselves_is_written_through_us(
    home: Path, told: list[Json], capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = logging.getLogger("chatterbox.server")
    theirs.propagate = False
    theirs.addHandler(logging.StreamHandler())
    set_up(Settings(home=home, log_format="json"), told)
    logs.take_in("chatterbox")
    theirs.warning("hello")
    assert [line["message"] for line in lines_of(home)] == ["hello"]
    assert json.loads(capsys.readouterr().err)["logger"] == "chatterbox.server"


def test_a_file_that_others_write_to_is_turned_over_under_their_hands(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 10)
    file = home / "worker.log"
    with file.open("ab", buffering=0) as others:
        for number in range(6):
            others.write(b"line %d and more\n" % number)
            logs.turn_over(file)
            logs.turn_over(file)
        others.write(b"short\n")
        logs.turn_over(file)
    assert file.read_text() == "short\n"
    assert [path.read_text() for path in sorted(home.glob("worker.log.*"))] == [
        f"line {number} and more\n" for number in (5, 4, 3)
    ]


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


def test_nonsense_that_strangers_send_fills_no_table(home: Path, told: list[Json]) -> None:
    set_up(Settings(home=home), told)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")
    assert [line["message"] for line in told] == ["Exception in ASGI application"]
    assert "Invalid HTTP" in (home / "logs" / "studio.log").read_text()


def test_every_level_has_a_name_of_ours() -> None:
    assert set(logs.LEVELS.values()) == set(Level)
    assert logs._level(35) is Level.WARNING
    assert logs._level(1) is Level.DEBUG
