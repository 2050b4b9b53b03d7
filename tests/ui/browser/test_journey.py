"""The main way in a real browser: upload a table, train with a live board, read the leaderboard, predict."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from playwright.sync_api import Browser, Page, expect

from flowml.storage.records import TrialState
from flowml.ui.client import Studio

HELD_BACK = 100
ENOUGH = 5  # algorithms, of which a model is to be made
POINTS = """() => {
    const dots = (trace) => (trace.mode ?? '').includes('markers') ? trace.x.length : 0
    const plots = [...document.querySelectorAll('.js-plotly-plot')]
    return Math.max(0, ...plots.map((plot) => (plot.data ?? []).reduce((sum, trace) => sum + dots(trace), 0)))
}"""

Rows = list[dict[str, str]]


def settled(page: Page) -> None:
    """Streamlit's own mark: the script has run and all is drawn."""
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=60_000
    )


def test_a_table_becomes_a_model_that_predicts(
    page: Page,
    browser: Browser,
    rest: Studio,
    customers: Rows,
    tmp_path: Path,
    shoot: Callable[[str], None],
) -> None:
    upload(page, customers[HELD_BACK:], tmp_path)
    shoot("journey-1-uploaded")
    job = start(page, shoot)
    watch(page, browser, rest, job, shoot)
    champion = results(page, rest, job, shoot)
    predict(page, champion, shoot)
    held_back = customers[:HELD_BACK]
    by_file = score_file(page, champion, held_back, tmp_path)
    onnx = take_along(page, job, tmp_path)
    assert score_bare(onnx, held_back) == by_file == told(rest, champion, held_back)


def upload(page: Page, rows: Rows, folder: Path) -> None:
    page.goto("/data")
    page.locator("input.fm-file").set_input_files(written(rows, folder / "customers.csv"))
    expect(page.get_by_role("heading", name="customers")).to_be_visible()
    expect(page).to_have_url(re.compile(r"dataset="))
    settled(page)


def written(rows: Rows, path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def start(page: Page, shoot: Callable[[str], None]) -> str:
    page.get_by_role("button", name="Train on this").click()
    target = page.get_by_role("combobox", name="The column to predict")
    target.click()
    page.get_by_role("option", name="churn").click()
    page.get_by_test_id("stButtonGroup").get_by_text("5 min", exact=True).click()
    settled(page)
    shoot("journey-2-train")
    page.get_by_role("button", name="Start training").click()
    expect(page).to_have_url(re.compile(r"/live\?job="))
    return page.url.rpartition("=")[2]


def watch(page: Page, browser: Browser, rest: Studio, job: str, shoot: Callable[[str], None]) -> None:
    """The chart gains points while the job runs, on the same node; another browser shows the same job."""
    early = gains(page, 0)
    page.evaluate("document.querySelector('.js-plotly-plot').dataset.kept = 'yes'")
    later = gains(page, early)
    assert page.evaluate("document.querySelector('.js-plotly-plot').dataset.kept") == "yes"
    assert rest.job(job).status in ("running", "finishing")
    shoot("journey-3-live")
    second = browser.new_context()
    other = second.new_page()
    other.goto(page.url)
    expect(other.get_by_text("Running").first).to_be_visible(timeout=20_000)
    second.close()
    page.reload()
    assert gains(page, later - 1) >= later


def gains(page: Page, before: int) -> int:
    """How many points the chart has, once it has more than `before`."""
    for _ in range(600):  # asked from here: the policy of the pages forbids Playwright's own waiting script
        found = int(page.evaluate(POINTS))
        if found > before:
            return found
        page.wait_for_timeout(200)
    pytest.fail(f"the chart did not gain a point beyond {before} within 120 s")


def results(page: Page, rest: Studio, job: str, shoot: Callable[[str], None]) -> str:
    """Stopped once there is enough, as a user would who likes what the chart shows."""
    until = time.monotonic() + 240
    while len(algorithms(rest, job)) < ENOUGH:
        assert time.monotonic() < until, rest.trials(job)
        page.wait_for_timeout(500)
    page.get_by_role("button", name="Stop and keep the best").click()
    ended = rest.wait(job, timeout_s=120)
    assert (ended.status, ended.cause) == ("stopped", "")
    expect(page.get_by_text("Stopped").first).to_be_visible()
    ranked = {row.algorithm for row in rest.leaderboard(job).models if row.rank is not None}
    assert len(ranked - {"ensemble"}) >= ENOUGH
    page.get_by_test_id("stMain").get_by_role("link", name="Results").click()
    expect(page).to_have_url(re.compile(r"/results\?job="))
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    settled(page)
    shoot("journey-4-results")
    return ended.champion


def algorithms(rest: Studio, job: str) -> set[str]:
    """Of which a trial is complete."""
    return {trial.algorithm for trial in rest.trials(job) if trial.state is TrialState.COMPLETE}


def predict(page: Page, champion: str, shoot: Callable[[str], None]) -> None:
    page.goto(f"/predict?model={champion}")
    answer = page.get_by_test_id("stMetricValue").first
    expect(answer).to_have_text(re.compile("^(Yes|No)$"))
    expect(page.get_by_role("spinbutton", name="tenure")).to_be_visible()
    settled(page)
    shoot("journey-5-predict")


def score_file(page: Page, champion: str, rows: Rows, folder: Path) -> list[str]:
    """Predictions of a file, as the downloaded answer has them."""
    page.goto(f"/predict?model={champion}&view=A file")
    uploader = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    uploader.set_input_files(written(rows, folder / "held back.csv"))
    expect(page.get_by_text(f"{len(rows)} rows compared with the training")).to_be_visible()
    page.get_by_role("button", name="Predict all rows").click()
    expect(page.get_by_text(f"{len(rows)} rows predicted")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download held back-predictions.csv").click()
    path = folder / "predictions.csv"
    saved.value.save_as(path)
    with path.open(newline="") as file:
        return [row["prediction"] for row in csv.DictReader(file)]


def take_along(page: Page, job: str, folder: Path) -> Path:
    page.goto(f"/results?job={job}&view=Champion")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Model (ONNX)").click()
    path = folder / "model.onnx"
    saved.value.save_as(path)
    return path


def told(rest: Studio, champion: str, rows: Rows) -> list[str]:
    asked = [{name: value or None for name, value in row.items()} for row in rows]
    return list(map(str, rest.predict(champion, asked).prediction))


def score_bare(file: Path, rows: Rows) -> list[str]:
    """Labels from nothing but onnxruntime: columns go in as they are, missing numbers as NaN."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    feeds = {each.name: column(each.type, [row[each.name] for row in rows]) for each in session.get_inputs()}
    return list(map(str, session.run(["label"], feeds)[0]))


def column(kind: str, texts: list[str]) -> np.ndarray:
    if kind == "tensor(string)":
        return np.array(texts, dtype=object).reshape(-1, 1)
    if kind == "tensor(int64)":
        return np.array([seconds(text) for text in texts], dtype=np.int64).reshape(-1, 1)
    assert kind in ("tensor(double)", "tensor(float)")
    width = np.float64 if kind == "tensor(double)" else np.float32
    return np.array([float(text or "nan") for text in texts], dtype=width).reshape(-1, 1)


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("empty.csv", b"", "empty"),
        ("picture.csv", bytes(range(256)) * 40, "no format"),
        ("ragged.csv", b"a,b\n" + b"1,2\n" * 50 + b"1,2,3,4\n", "ragged|columns|fields|line"),
    ],
)
def test_a_bad_file_is_explained_on_the_page(
    page: Page, forgiven: list[str], tmp_path: Path, name: str, content: bytes, word: str
) -> None:
    forgiven += ["422", "404"]  # the answer, and an upload that is gone with it
    path = tmp_path / name
    path.write_bytes(content)
    page.goto("/data")
    page.locator("input.fm-file").set_input_files(path)
    said = page.locator(".fm-files li.failed .said")
    expect(said).to_have_text(re.compile(word, re.IGNORECASE))
