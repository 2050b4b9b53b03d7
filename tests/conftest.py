"""What all tests share: a data folder of their own and an environment without the user's settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowml.storage import intake
from tests.storage.reading import Reading


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in [name for name in os.environ if name.startswith("FLOWML_") and name != "FLOWML_CHROMIUM"]:
        del os.environ[name]
    os.environ["FLOWML_HOME"] = str(tmp_path_factory.mktemp("home"))
    os.environ["FLOWML_LOAD_AHEAD"] = "0"  # for workers of single jobs it would be in vain


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty data folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """Reads files in forks that have the limits of the studio's reader."""
    reading = Reading(tmp_path_factory.mktemp("reading"))
    yield reading
    reading.close()


@pytest.fixture(scope="module")
def forks(reading: Reading) -> Iterator[None]:
    """Studios within this process have tables read so. For tests that are about something else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "_ask_child", reading.ask)
        yield
