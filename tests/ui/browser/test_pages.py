"""Every page in a real browser, light and dark: it opens without an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from flowml.runner.waiting import wait_until
from flowml.ui.client import Studio
from flowml.ui.navigation import PAGES, PageRow

# What a page shows is named in its URL.
QUERIES = {
    "data": "?dataset={dataset}",
    "train": "?dataset={dataset}&target=churn",
    "live": "?job={job}",
    "results": "?job={job}",
    "explain": "?model={model}",
    "predict": "?model={model}",
    "models": "?model={model}",
}
VIEWS = [
    ("data", "Check"),
    ("data", "Roles"),
    ("data", "SQL"),
    ("data", "Preview"),
    ("results", "Compare"),
    ("results", "Threshold"),
    ("results", "Search"),
    ("results", "Importance"),
    ("results", "Diagnostics"),
    ("results", "Champion"),
    ("results", "Receipt"),
    ("explain", "Dependence"),
    ("explain", "One row"),
    ("explain", "Slices"),
    ("explain", "Fairness"),
    ("explain", "Ask"),
    ("predict", "A file"),
    ("predict", "From a program"),
]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
STREAMLITS = frozenset({"list", "listitem"})  # titles of sections stand among the items of its list of pages
UNTOLD = """() => [...document.querySelectorAll('.fm-chart')].filter((chart) =>
    !chart.querySelector('.fm-chart-title').textContent
    || !chart.querySelector('.fm-chart-plot').getAttribute('aria-label')
    || !chart.querySelector('.fm-chart-save').getAttribute('aria-label')
).map((chart) => chart.textContent)"""
LIGHT = """() => {
    const colour = getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor
    return colour.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) > 384
}"""


@pytest.mark.parametrize("row", PAGES, ids=[row.key for row in PAGES])
def test_a_page_opens_and_shows_what_its_address_names(
    page: Page, trained: dict[str, str], shoot: Callable[[str], None], row: PageRow
) -> None:
    page.goto(f"/{'' if row.default else row.key}{QUERIES.get(row.key, '').format(**trained)}")
    without_fault(page)
    assert page.evaluate(LIGHT)
    shoot(f"{row.key}-light")
    assert barriers(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload()
    without_fault(page)
    assert not page.evaluate(LIGHT)
    shoot(f"{row.key}-dark")
    assert barriers(page) == []


@pytest.mark.parametrize(("key", "view"), VIEWS)
def test_a_view_opens_by_its_address(
    page: Page, trained: dict[str, str], shoot: Callable[[str], None], key: str, view: str
) -> None:
    page.goto(f"/{key}{QUERIES[key].format(**trained)}&view={view}")
    without_fault(page)
    shoot(f"{key}-{view.replace(' ', '-').lower()}")


def test_the_numbers_of_a_chart_are_downloaded(page: Page, trained: dict[str, str]) -> None:
    page.goto(f"/results?job={trained['job']}&view=Search")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download the numbers of: Trials by algorithm").click()
    assert saved.value.suggested_filename == "trials-by-algorithm.csv"
    lines = saved.value.path().read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("algorithm,complete,pruned,failed,lost,best ")
    assert len(lines) > 1


def barriers(page: Page) -> list[tuple[str, str]]:
    """What axe finds against WCAG 2.1 A and AA, but for what Streamlit itself does on every page."""
    found = Axe().run(page, options=RULES).response["violations"]
    broken = [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]]
    return [each for each in broken if each[0] not in STREAMLITS]


def without_fault(page: Page) -> None:
    settled(page)
    assert page.get_by_test_id("stAlertContentError").all_inner_texts() == []
    assert page.get_by_test_id("stException").all_inner_texts() == []
    drawn = wait_until(lambda: page.evaluate(UNTOLD) == [], 60.0)  # a chart may just have come
    assert drawn, page.evaluate(UNTOLD)


@pytest.mark.parametrize("key", ["data", "live", "results", "explain", "predict"])
def test_a_page_without_an_id_lists_what_there_is(page: Page, trained: dict[str, str], key: str) -> None:
    assert trained
    page.goto(f"/{key}")
    without_fault(page)


def test_the_numbers_in_a_matrix_are_white_in_the_dark(page: Page, trained: dict[str, str]) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"/results?job={trained['job']}&view=Diagnostics")
    cells = page.locator(".heatmap-label text")
    expect(cells).to_have_count(4)
    assert set(cells.evaluate_all("all => all.map((cell) => getComputedStyle(cell).fill)")) == {WHITE}


def test_links_show_that_the_keyboard_is_at_them(page: Page, trained: dict[str, str]) -> None:
    page.goto(f"/results?job={trained['job']}")
    settled(page)
    for place in ("stSidebarNavLink", "stPageLink-NavLink"):
        link = page.get_by_test_id(place).first
        link.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(link).to_be_focused()
        expect(link).to_have_css("outline-style", "solid")


WHITE = "rgb(255, 255, 255)"
COLUMNS_ARE_WIDE = """() => {
  const widths = [...document.querySelectorAll("[data-testid=stMain] [data-testid=stColumn]")]
    .map((column) => column.getBoundingClientRect().width).filter((width) => width > 0);
  return widths.length > 1 && widths.every((width) => width >= 259);
}"""
CARDS_STAND_TWO_BY_TWO = """() => {
  const boxes = [...document.querySelectorAll("[data-testid=stGridCell]")]
    .map((cell) => cell.getBoundingClientRect());
  const places = (side) => new Set(boxes.map((box) => Math.round(box[side] / 10))).size;
  return boxes.length === 4 && places("left") === 2 && places("top") === 2;
}"""


def test_beside_the_sidebar_of_a_tablet_columns_keep_their_width(page: Page, trained: dict[str, str]) -> None:
    page.set_viewport_size({"width": 820, "height": 900})
    page.goto("/train?dataset={dataset}&target=churn".format(**trained))
    settled(page)
    page.wait_for_function(COLUMNS_ARE_WIDE)
    page.goto("/results?job={job}".format(**trained))
    page.wait_for_function(CARDS_STAND_TWO_BY_TWO)


@pytest.mark.parametrize("address", ["data?dataset=no", "live?job=no", "results?job=no", "predict?model=no"])
def test_an_unknown_id_is_explained(page: Page, address: str) -> None:
    page.goto(f"/{address}")
    settled(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlert").first).to_be_visible()


def test_the_documents_of_the_api_open(page: Page, shoot: Callable[[str], None]) -> None:
    page.goto("/api/docs")
    expect(page.get_by_text("/training/start")).to_be_visible()
    shoot("api-docs")


def settled(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=60_000
    )


def test_samples_are_added_by_a_press(page: Page, rest: Studio) -> None:
    page.goto("/data")
    page.get_by_role("button", name="Try it with sample data").click()
    expect(page.get_by_text("The sample tables are here")).to_be_visible()
    assert len(rest.datasets()) >= 2
