"""The README and the documents name what the tables hold, and what they point to is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.algorithms.row import COMPLETE
from flowml.automl.metrics import METRICS
from flowml.automl.splitters import SPLITTERS
from flowml.runner.tiers import TIERS
from flowml.storage.check import CHECKS, Check
from flowml.storage.formats import FORMATS, wrapped
from flowml.storage.records import Task
from flowml.ui.navigation import FOLDER, PAGES, PageRow

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
DOCS = ROOT / "docs"
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text() for path in [*DOCS.rglob("*.md"), ROOT / "README.md"]
}
LINK = re.compile(r"\]\(([^)#]+?)(#[^)]*)?\)")
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


@pytest.mark.parametrize("page", PAGES, ids=[page.key for page in PAGES])
def test_each_page_has_a_document(page: PageRow) -> None:
    text = DOCUMENTS[f"docs/pages/{page.key}.md"]
    assert text.startswith(f"# {page.title}\n")
    assert f"[{page.title}]({page.key}.md)" in DOCUMENTS["docs/pages/README.md"]


@pytest.mark.parametrize("key", [page.key for page in PAGES])
def test_each_view_of_a_page_stands_in_its_document(key: str) -> None:
    source = (FOLDER / "pages" / f"{key}.py").read_text()
    table = re.search(r"^(?:VIEWS|ADMINISTRATORS)\b.*?[})]$", source, re.DOTALL | re.MULTILINE)
    views = re.findall(r'"([A-Z][^"]*)"', table.group()) if table else []
    assert [view for view in views if view not in DOCUMENTS[f"docs/pages/{key}.md"]] == []


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith("docs/")])
def test_each_document_is_reached_from_the_first(name: str) -> None:
    """Over at most two links."""
    known = {"docs/README.md"} | targets("docs/README.md")
    assert name in known | {far for near in known for far in targets(near)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_points_to_is_there(name: str) -> None:
    gone = [target for target in targets(name, kind="") if not (ROOT / target).exists()]
    assert gone == []


def targets(name: str, kind: str = ".md") -> set[str]:
    """Files that a document links or shows, relative to the project."""
    folder = (ROOT / name).parent
    links = [link for link, _ in LINK.findall(DOCUMENTS.get(name, "")) if "://" not in link]
    found = {str((folder / link).resolve().relative_to(ROOT)) for link in links}
    return {each for each in found if each.endswith(kind)}


def test_each_algorithm_stands_in_its_page_by_its_name() -> None:
    lines = (ROOT / "docs/algorithms.md").read_text().splitlines()
    told = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    assert list(told) == list(ALGORITHMS)
    for key, row in ALGORITHMS.items():
        assert f"| `{key}` | {row.label}" in told[key]
        complete = row.encoding == COMPLETE
        assert ("filled, with a flag | a column each" in told[key]) is complete, key


@pytest.mark.parametrize("row", CHECKS, ids=[row.kind for row in CHECKS])
def test_each_check_stands_in_its_page_as_it_is_made(row: Check) -> None:
    assert f"| `{row.kind}` | {row.label} | {row.decides} |" in (ROOT / "docs/checks.md").read_text()
