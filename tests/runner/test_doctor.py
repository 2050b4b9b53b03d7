"""Each check sees what is wrong, says so and says what to do."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from flowml.runner.doctor import CHECKS, Diagnosis, Health, diagnose, healthy, import_trouble
from flowml.runner.settings import Settings


def check(name: str, settings: Settings) -> Diagnosis:
    return diagnose(next(row for row in CHECKS if row.name == name), settings)


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, port=0)


@pytest.mark.parametrize("name", ["python", "machine", "redis", "data folder", "port"])
def test_a_sound_machine_passes(name: str, settings: Settings) -> None:
    found = check(name, settings)
    assert found.health is Health.OK, found
    assert found.text


def test_a_folder_that_cannot_be_made_fails(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = check("data folder", replace(settings, home=tmp_path / "file" / "home"))
    assert found.health is Health.FAIL
    assert "FLOWML_HOME" in found.advice


def test_looking_makes_no_folder(settings: Settings, tmp_path: Path) -> None:
    assert check("data folder", replace(settings, home=tmp_path / "new")).health is Health.OK
    assert not (tmp_path / "new").exists()


def test_a_taken_port_warns(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = check("port", replace(settings, port=taken.getsockname()[1]))
    assert found.health is Health.WARN
    assert "--port" in found.advice


def test_a_redis_that_is_away_fails_without_showing_its_password(settings: Settings) -> None:
    found = check("redis", replace(settings, redis_url="redis://:secret@127.0.0.1:1/0"))
    assert found.health is Health.FAIL
    assert "secret" not in f"{found.text} {found.advice}"


def test_the_library_that_does_not_load_is_named() -> None:
    assert import_trouble("json", "csv") == ""
    assert import_trouble("json", "no_such_library", "csv").startswith(
        "no_such_library does not load: Module"
    )


def test_a_failure_makes_the_machine_unhealthy_and_a_warning_does_not() -> None:
    good, poor = Diagnosis("a", Health.WARN, ""), Diagnosis("b", Health.FAIL, "")
    assert healthy((good,))
    assert not healthy((good, poor))


def test_every_check_has_a_name_of_its_own() -> None:
    assert len({row.name for row in CHECKS}) == len(CHECKS)
