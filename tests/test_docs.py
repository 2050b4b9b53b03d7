"""The README names what the tables hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.metrics import METRICS
from flowml.automl.splitters import SPLITTERS
from flowml.runner.tiers import TIERS
from flowml.storage.check import CHECKS, Check
from flowml.storage.formats import FORMATS, wrapped
from flowml.storage.records import Task
from flowml.ui.navigation import PAGES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
SUFFIXES = [*(suffix for format_ in FORMATS for suffix in format_.suffixes), *wrapped.SUFFIXES]


@pytest.mark.parametrize("name", [*ALGORITHMS, *METRICS, *SUFFIXES, *(tier.queue for tier in TIERS)])
def test_each_name_stands_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", [*METRICS, *SPLITTERS, *Task])
def test_each_metric_and_split_stands_in_the_page_on_training(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/training.md").read_text()


@pytest.mark.parametrize("title", [page.title for page in PAGES])
def test_each_page_stands_in_the_readme(title: str) -> None:
    assert title in README


def test_the_table_of_settings_is_fresh() -> None:
    stale = subprocess.run([sys.executable, str(ROOT / "scripts/dev/settings_table"), "--check"], check=False)
    assert stale.returncode == 0, "run scripts/dev/settings_table"


def test_the_table_of_what_can_be_exported_is_fresh() -> None:
    script = ROOT / "scripts/dev/exportable_table"
    stale = subprocess.run([sys.executable, str(script), "--check"], check=False)
    assert stale.returncode == 0, "run scripts/dev/exportable_table"


def test_the_tables_of_commands_and_routes_are_fresh() -> None:
    stale = subprocess.run([sys.executable, str(ROOT / "scripts/dev/reference"), "--check"], check=False)
    assert stale.returncode == 0, "run scripts/dev/reference"


def test_each_picture_of_the_readme_is_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []


@pytest.mark.parametrize("row", CHECKS, ids=[row.kind for row in CHECKS])
def test_each_check_stands_in_its_page_as_it_is_made(row: Check) -> None:
    assert f"| `{row.kind}` | {row.label} | {row.decides} |" in (ROOT / "docs/checks.md").read_text()
