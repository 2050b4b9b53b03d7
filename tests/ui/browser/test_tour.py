"""A newcomer's first ten minutes in a studio of its own: every page while it is empty, then two real tables,
one clean and one dirty, from the upload to a prediction, with a picture of each step. After that what other
tabs and a studio that goes away do to a page.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sklearn.datasets import load_wine

from flowml.ui.client import Studio
from flowml.ui.navigation import PAGES

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
STREAMLITS = frozenset({"list", "listitem"})  # titles of sections stand among the items of its list of pages
NARROW = {"width": 390, "height": 844}
# How far the page reaches beyond the window, in pixels.
BEYOND = """() => {
    const main = document.querySelector('[data-testid=stMain]')
    return Math.max(main.scrollWidth - main.clientWidth, document.scrollingElement.scrollWidth - innerWidth)
}"""
USUAL_MS, SOON_MS = 60_000, 120_000  # a training shares the machine with the browser here
SHOOT = Callable[[str], None]

pytestmark = pytest.mark.timeout(600)


@dataclass
class Own:
    """A studio that is started and stopped here."""

    home: Path
    url: str
    process: Popen[str]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, spawned: Callable[..., Popen[str]]) -> Iterator[Own]:
    home = tmp_path_factory.mktemp("newcomer")
    process = spawned(home, workers=1)
    assert process.stdout is not None
    own = Own(home, process.stdout.readline().strip(), process)
    yield own
    own.process.terminate()
    own.process.communicate(timeout=60)


@pytest.fixture
def address(own: Own) -> str:
    return own.url


@pytest.fixture
def rest(own: Own) -> Iterator[Studio]:
    with Studio(own.url) as client:
        yield client


@pytest.fixture(autouse=True)
def patient(page: Page) -> Iterator[None]:
    page.set_default_timeout(SOON_MS)
    expect.set_options(timeout=SOON_MS)
    yield
    expect.set_options(timeout=USUAL_MS)


def settled(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    assert page.get_by_test_id("stException").all_inner_texts() == []


def barriers(page: Page) -> list[tuple[str, str]]:
    page.mouse.move(0, 0)  # what the pointer rests on looks otherwise
    found = Axe().run(page, options=RULES).response["violations"]
    broken = [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]]
    return [each for each in broken if each[0] not in STREAMLITS]


def fits(page: Page) -> None:
    """Nothing reaches beyond the window, once tables have taken its new width."""
    for _ in range(50):
        if page.evaluate(BEYOND) <= 0:
            return
        page.wait_for_timeout(100)
    pytest.fail(f"{page.url} reaches {page.evaluate(BEYOND)} pixels beyond the window")


def test_empty_pages_fit_a_narrow_window_in_the_dark_without_barriers(page: Page, address: str) -> None:
    page.set_viewport_size(NARROW)
    page.emulate_media(color_scheme="dark")
    for row in PAGES:
        page.goto(f"{address}/{row.path}")
        expect(page.get_by_test_id("stMain").locator("h1").first).to_be_visible()
        settled(page)
        fits(page)
        assert barriers(page) == [], row.key


# --- two tables -------------------------------------------------------------------------------------------


def test_a_clean_and_a_dirty_table_become_models_in_ten_minutes(
    page: Page, address: str, rest: Studio, shoot: SHOOT, tmp_path: Path
) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name="Welcome to FlowML Studio")).to_be_visible()
    shoot("tour-01-welcome")
    page.get_by_role("button", name="Try it with sample data").click()
    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Breast cancer").click()
    look(page, "Breast cancer", shoot, "tour-02-clean-table")
    clean = train(page, "diagnosis", 6, shoot, "tour-03-train")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    shoot("tour-04-live")
    page.get_by_role("link", name="Data", exact=True).click()
    page.locator("input.fm-file").set_input_files(dirty(tmp_path / "cellar.csv"))
    look(page, "cellar", shoot, "tour-05-dirty-table")
    mend(page, rest, shoot)
    use(page, rest, clean, re.compile("malignant|benign"), shoot, "tour-08-clean")
    page.goto(f"{address}/data?dataset={rest.datasets()[0].id}")
    job = train(page, "grower", 10, shoot, "tour-12-train")
    use(page, rest, job, re.compile("grower [ABC]"), shoot, "tour-13-dirty")
    page.get_by_role("link", name="Dashboard").click()
    expect(page.get_by_text("Recent jobs")).to_be_visible()
    settled(page)
    shoot("tour-17-dashboard")


def dirty(path: Path) -> Path:
    """The wines of scikit-learn as a table from a cellar: gaps in disguise, rows twice, a number for each
    bottle, and a column that is the same in every row.
    """
    chance, wines = random.Random(5), load_wine()
    names = [name.replace("_", " ") for name in wines.feature_names[:6]]
    lines = [",".join(["bottle", *names, "country", "grower"])]
    for number, (values, grower) in enumerate(zip(wines.data, wines.target, strict=True)):
        cells = [f"{value:.2f}" for value in values[:6]]
        if chance.random() < 0.2:
            cells[1] = "-999"
        lines.append(",".join([f"B-{number:04}", *cells, "Italy", f"grower {'ABC'[grower]}"]))
    path.write_text("\n".join([*lines, *lines[1:6]]))
    return path


def look(page: Page, name: str, shoot: SHOOT, picture: str) -> None:
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    settled(page)
    shoot(picture)


def mend(page: Page, rest: Studio, shoot: SHOOT) -> None:
    """What the check finds for the target is mended by clicks."""
    dataset = rest.datasets()[0].id
    page.goto(f"{rest.url}/data?dataset={dataset}&view=Check&target=grower")
    expect(page.get_by_text("seems to name single rows")).to_be_visible()
    settled(page)
    shoot("tour-06-check")
    page.get_by_role("button", name="Mark as identifier").click()
    expect(page.get_by_text("seems to name single rows")).to_have_count(0)
    page.get_by_role("button", name="Mark as missing").first.click()
    expect(page.get_by_role("heading", name="cellar · v2")).to_be_visible()
    settled(page)
    shoot("tour-07-mended")


def train(page: Page, target: str, seconds: int, shoot: SHOOT, picture: str) -> str:
    """From the page of a table to a job that runs; gives its id."""
    page.get_by_role("button", name="Train on this").click()
    page.get_by_role("combobox", name="The column to predict").fill(target)  # finds it in a long list
    page.get_by_role("option", name=target).click()
    page.get_by_test_id("stButtonGroup").get_by_text("Other", exact=True).click()
    minutes = page.get_by_role("spinbutton", name="Minutes")
    minutes.fill(f"{seconds / 60:.1f}")
    minutes.press("Enter")
    expect(page.get_by_role("cell", name=re.compile(rf"^{round(seconds / 6) * 6}(\.0)? s$"))).to_be_visible()
    settled(page)
    shoot(picture)
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile(r"/live\?job="))
    expect(page.get_by_text("Running").first).to_be_visible()
    return page.url.rpartition("=")[2]


def use(page: Page, rest: Studio, job: str, answer: re.Pattern[str], shoot: SHOOT, picture: str) -> None:
    """Results, reasons and answers of a job once it has ended."""
    ended = rest.wait(job, timeout_s=120)
    assert ended.status == "finished", ended.cause
    page.goto(f"{rest.url}/results?job={job}")
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    settled(page)
    shoot(f"{picture}-1-results")
    page.goto(f"{rest.url}/explain?model={ended.champion}")
    expect(page.get_by_role("combobox", name="Model")).to_be_visible()
    settled(page)
    shoot(f"{picture}-2-explain")
    page.get_by_test_id("stMain").get_by_role("link", name="Predict").first.click()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(answer)
    settled(page)
    shoot(f"{picture}-3-predict")


# --- other tabs and a studio that goes away ---------------------------------------------------------------


@pytest.fixture(scope="module")
def ended(own: Own) -> str:
    """The id of a job that has ended; one that was never begun if there is no other."""
    with Studio(own.url) as rest:
        known = rest.jobs()
        if known:
            return known[0].id
        table = "x,y\n" + "\n".join(f"{n},{'ab'[n % 2]}" for n in range(60))
        path = own.home.parent / "letters.csv"
        path.write_text(table)
        return rest.wait(rest.train(rest.upload(path).id, "y", time_budget=0.1), timeout_s=120).id


def test_back_and_forward_lead_through_what_was_seen(page: Page, address: str, ended: str) -> None:
    page.goto(f"{address}/results")
    settled(page)
    page.get_by_test_id("stMain").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(f"job={ended}"))
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    settled(page)
    page.go_back()
    expect(page.get_by_text("Jobs that have ended")).to_be_visible()
    page.go_forward()
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()


def test_a_dataset_that_another_tab_deletes_is_missed_with_a_word(
    page: Page, rest: Studio, tmp_path: Path
) -> None:
    (tmp_path / "short.csv").write_text("a,b\n1,2\n3,4\n")
    page.goto(f"{rest.url}/data?dataset={rest.upload(tmp_path / 'short.csv').id}")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("heading", name="short")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete this dataset").click()
    expect(page.get_by_text("Tables to learn from")).to_be_visible()
    other.get_by_text("Preview", exact=True).click()
    expect(other.get_by_text("It was deleted")).to_be_visible()
    other.close()


def test_a_job_that_is_deleted_elsewhere_is_missed_with_a_word(page: Page, rest: Studio, ended: str) -> None:
    """While its Live page is open, which asks for it each second."""
    (worker,) = [each.name for each in rest.workers() if each.status != "offline"]
    rest.pause_worker(worker)
    try:
        known = rest.job(ended)
        job = rest.train(known.dataset_id, known.target_column, time_budget=1)
        page.goto(f"{rest.url}/live?job={job}")
        expect(page.get_by_text("Waiting for a worker")).to_be_visible()
        rest.cancel(job)
        rest.delete_job(job)
        expect(page.get_by_text("There is no job")).to_be_visible()
        page.get_by_role("link", name="Back to the list").click()
        expect(page.get_by_text("Nothing is training")).to_be_visible()
    finally:
        rest.resume_worker(worker)


def test_a_studio_that_comes_back_is_found_by_the_page(
    page: Page, own: Own, spawned: Callable[..., Popen[str]], forgiven: list[str]
) -> None:
    forgiven.append("")  # all that Streamlit says of a server that is gone
    page.goto(f"{own.url}/workers")
    settled(page)
    app = page.get_by_test_id("stApp")
    own.process.terminate()
    own.process.communicate(timeout=60)
    expect(app).not_to_have_attribute("data-test-connection-state", "CONNECTED")
    own.process = spawned(own.home, port=int(own.url.rpartition(":")[2]), workers=0)
    assert own.process.stdout is not None
    own.process.stdout.readline()
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
    settled(page)
    expect(page.get_by_role("heading", name="Workers")).to_be_visible()
