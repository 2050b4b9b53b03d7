"""A studio and a Chromium for scripts that look at its pages; tests have theirs in tests/ui/browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from flowml.ui.client import Studio

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("FLOWML_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
ARGUMENTS = [
    "--no-sandbox",  # it cannot make one as root in a container; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    # No name but this machine's resolves, so that a request to another host cannot go unnoticed.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]
WIDTH, HEIGHT = 1360, 900
PATIENT_MS = 120_000
ENDS_IN_S = 180


@contextmanager
def served(home: Path, workers: int, *more: str) -> Iterator[tuple[Studio, int]]:
    """A studio on a free port, and the id of its process."""
    program = [Path(sys.executable).with_name("flowml"), "up", "--port", "0", "--data-dir", home]
    process = subprocess.Popen(
        [*program, "--workers", str(workers), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = next(line.split()[-1] for line in process.stdout if "http://" in line)
        with Studio(url) as studio:
            yield studio, process.pid
    finally:
        process.terminate()
        process.wait(ENDS_IN_S)


@contextmanager
def opened() -> Iterator[Browser]:
    """Ends the script where there is no Chromium."""
    if CHROMIUM is None:
        sys.exit("There is no Chromium on this machine. Install it, or name it with FLOWML_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def settled(page: Page) -> None:
    """Streamlit's own mark: the script has run and all is drawn."""
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENT_MS
    )
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENT_MS)
