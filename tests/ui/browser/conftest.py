"""A real Chromium in front of a real studio with one worker; skipped where there is no Chromium.

With SCREENSHOTS=1 in the environment the tests leave pictures of what they see in tests/screenshots.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen
from typing import Any
from urllib.parse import urlsplit

import pytest
from chromium import ARGUMENTS, CHROMIUM, HEIGHT, WIDTH
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, expect

from flowml.ui.client import Studio

SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"
KEPT = bool(os.environ.get("SCREENSHOTS"))
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
ROWS = 500

expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    size = {"width": WIDTH, "height": HEIGHT}
    return {**browser_context_args, "viewport": size, "reduced_motion": "reduce", "accept_downloads": True}


@pytest.fixture(scope="session")
def base_url(
    tmp_path_factory: pytest.TempPathFactory,
    served: Callable[..., AbstractContextManager[tuple[Popen[str], str]]],
) -> Iterator[str]:
    """The address of a studio with one worker."""
    with served(tmp_path_factory.mktemp("home"), workers=1) as (_, url):
        yield url


@pytest.fixture(scope="session")
def rest(base_url: str) -> Iterator[Studio]:
    """The same studio for programs."""
    with Studio(base_url) as client:
        yield client


@pytest.fixture
def forgiven() -> list[str]:
    """Words of faults that a test expects to see."""
    return []


@pytest.fixture(scope="module")
def window(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[BrowserContext]:
    """One for all tests of a module: what the browser has loaded and compiled once, it keeps."""
    window = browser.new_context(**browser_context_args)
    yield window
    window.close()


@pytest.fixture
def page(window: BrowserContext, forgiven: list[str]) -> Iterator[Page]:
    """A page that fails its test on an error in the console, a failed request or one to another host."""
    page = window.new_page()
    wrong: list[str] = []
    came_from: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            wrong.append(f"console: {message.text}")

    def asked(request: Request) -> None:
        """A page may ask the studio that it came from, and no other, be that on this machine too."""
        parts = urlsplit(request.url)
        if request.is_navigation_request() and request.frame == page.main_frame:
            came_from[:] = [parts.netloc]
        inline = parts.scheme in ("data", "blob")
        if not inline and (parts.netloc not in came_from or parts.hostname != "127.0.0.1"):
            wrong.append(f"foreign request: {request.url}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            wrong.append(f"{response.status}: {response.url}")

    page.set_default_timeout(60_000)
    page.on("console", heard)
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("request", asked)
    page.on("response", answered)
    yield page
    page.close()
    assert [each for each in wrong if not any(word in each for word in forgiven)] == []


@pytest.fixture
def shoot(page: Page) -> Callable[[str], None]:
    """Has all of the page drawn as it stands; where pictures are asked for, keeps one."""

    def shoot(name: str) -> None:
        page.wait_for_load_state("networkidle")
        height = page.evaluate("document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0")
        page.set_viewport_size({"width": WIDTH, "height": max(HEIGHT, min(height, 4000))})
        page.evaluate(DRAWN)
        if KEPT:
            SCREENSHOTS.mkdir(exist_ok=True)
            page.wait_for_timeout(700)  # charts fit themselves to the new size
            page.screenshot(path=SCREENSHOTS / f"{name}.png")
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})

    return shoot


@pytest.fixture(scope="session")
def customers() -> list[dict[str, str]]:
    """Rows with numbers, categories, dates and gaps, and a target that follows from them mostly."""
    chance = random.Random(7)
    rows = []
    for number in range(ROWS):
        tenure, charge = chance.randint(0, 72), round(chance.uniform(18, 120), 2)
        contract = chance.choice(["Month-to-month", "One year", "Two year"])
        leaves = 0.5 - tenure / 90 + (charge - 60) / 150 + 0.4 * (contract == "Month-to-month")
        rows.append(
            {
                "customer": f"C-{number:05}",
                "tenure": str(tenure),
                "monthly charge": "" if chance.random() < 0.05 else str(charge),
                "contract": contract,
                "payment": chance.choice(["Card", "Transfer", "Cheque"]),
                "since": f"20{chance.randint(10, 23)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
                "churn": "Yes" if chance.gauss(leaves, 0.25) > 0.5 else "No",
            }
        )
    return rows


@pytest.fixture(scope="session")
def trained(
    rest: Studio, customers: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Ids of a finished job, its dataset and its champion."""
    ended = next((job for job in rest.jobs() if job.status == "finished"), None)
    if ended is None:
        path = tmp_path_factory.mktemp("data") / "customers.csv"
        lines = [",".join(customers[0]), *(",".join(row.values()) for row in customers)]
        path.write_text("\n".join(lines))
        ended = rest.wait(rest.train(rest.upload(path).id, "churn", time_budget=0.3), timeout_s=120)
    assert ended.status == "finished", ended.cause
    return {"job": ended.id, "dataset": ended.dataset_id, "model": ended.champion}
