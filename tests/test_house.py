"""Rules of the house that a tool can check."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import flowml
from flowml.runner.client import Client
from flowml.runner.rights import Seat

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"automl", "docs", "runner", "scripts", "storage", "tests", "ui"}
FILES = {"LICENSE", "README.md", "compose.yaml", "pyproject.toml", "requirements.lock"}
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".lock", ".sql", ".css", ".js", ".html", ".svg", ""}


def kept() -> list[str]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if names.returncode:
        pytest.skip("not a git checkout")
    return [name for name in names.stdout.split("\0") if name]


def tracked() -> list[Path]:
    paths = [ROOT / name for name in kept()]
    return [path for path in paths if path.is_file() and not path.is_symlink() and path.suffix in TEXT]


def test_nothing_else_lies_at_the_top() -> None:
    tops = {name.partition("/")[0] for name in kept()}
    assert {top for top in tops - FOLDERS - FILES if not top.startswith(".")} == set()


def test_imports_go_downward() -> None:
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_lock_names_no_download_address() -> None:
    assert not re.search(r"https?://|--index|--find-links|@ file", (ROOT / "requirements.lock").read_text())


def test_no_absolute_path_of_a_developer_machine() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/\w+")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()[:120]}"
        for path in tracked()
        if path != Path(__file__)
        for line in path.read_text(errors="replace").splitlines()
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("name", ["start", "test", "check", "benchmark"])
def test_scripts_can_be_run(name: str) -> None:
    script = ROOT / "scripts" / name
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", str(script)], check=True)


def test_readme_has_the_two_commands() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:45])
    assert "./scripts/start" in first_screen
    assert "./scripts/test" in first_screen


def test_modules_stay_small() -> None:
    large = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.suffix == ".py" and (lines := len(path.read_text().splitlines())) > 450
    }
    assert large == {}


def test_the_version_stands_in_two_places_alike() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == flowml.__version__


ALWAYS = {"as_person", "note"}  # of every seat, whoever sits there


@pytest.mark.parametrize("kind", [Client])
def test_each_question_to_the_studio_names_the_right_that_it_needs(kind: type[Seat]) -> None:
    """Mark it with @right (runner/rights.py), and let it see and change only what who asks may."""
    public = {name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))}
    assert {name for name in public if not hasattr(getattr(kind, name), "right")} == ALWAYS


@pytest.mark.parametrize("name", flowml.__all__)
def test_the_public_face_is_there(name: str) -> None:
    assert getattr(flowml, name) is not None
