"""What all tests share: a data folder of their own and an environment without the user's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
