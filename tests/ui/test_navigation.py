from __future__ import annotations

import struct
import tomllib
from pathlib import Path

import pytest

from flowml.ui import navigation
from flowml.ui.charts.palette import COLOURS
from flowml.ui.navigation import FOLDER, PAGES, PageRow

THEME = tomllib.loads((FOLDER / "theme.toml").read_text())["theme"]


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row.key)
def test_a_page_is_a_file_that_says_what_it_is_for(row: PageRow) -> None:
    source = row.file.read_text()
    assert source.startswith('"""')
    assert 15 <= len(source.splitlines()) <= 100
    assert navigation.file_of(row.key) == f"pages/{row.key}.py"
    assert row.help
    assert row.title


def test_every_file_is_a_page_and_one_is_the_first() -> None:
    assert {path.stem for path in (FOLDER / "pages").glob("*.py")} == {row.key for row in PAGES}
    assert [row.path for row in PAGES if row.default] == [""]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_has_the_colours_that_charts_need(scheme: str) -> None:
    """Streamlit falls back to its own colours where there are not exactly ten."""
    colours = THEME[scheme]["chartCategoricalColors"]
    assert len(colours) == COLOURS
    assert len(set(colours)) == COLOURS


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name", ["textColor", "grayTextColor", "linkColor", "redTextColor", "greenTextColor"]
)
def test_text_is_readable_on_the_background(scheme: str, name: str) -> None:
    ratio = contrast(THEME[scheme][name], THEME[scheme]["backgroundColor"])
    assert ratio >= 4.5, f"{name} has a contrast of {ratio:.2f}"


def contrast(first: str, second: str) -> float:
    """As WCAG 2 defines it."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_icon_of_the_browser_tab_is_a_local_image() -> None:
    content = (FOLDER / "static" / "icon.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (64, 64)


SOURCES = [path for kind in ("js", "css", "html", "svg") for path in sorted(FOLDER.rglob(f"*.{kind}"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_file_of_the_screen_names_another_host(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in text
    assert "https://" not in text
