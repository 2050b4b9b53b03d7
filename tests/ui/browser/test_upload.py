"""The drop zone: parts, a cut on the way, and a choice among several tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from flowml.ui.client import Studio
from tests.storage import workbook


@pytest.fixture
def forgiven() -> list[str]:
    return ["net::ERR_FAILED"]  # of the request that the test cuts


def test_an_upload_goes_on_after_a_cut(page: Page, rest: Studio, tmp_path: Path) -> None:
    rows = b"".join(b"%d,%s\n" % (n, b"x" * 200) for n in range(90_000))  # of three parts
    (tmp_path / "cut.csv").write_bytes(b"n,text\n" + rows)
    cut: list[str] = []
    seen: list[str] = []
    checked: list[str] = []

    def pass_on(route: Route) -> None:
        told = route.request.headers.get("content-range", "")
        if told and not cut and not told.startswith("bytes 0-"):
            cut.append(told)
            route.abort()
            return
        if told:
            seen.append(told)
            checked.append(route.request.headers.get("x-part-sha256", ""))
        route.continue_()

    page.route("**/api/uploads/*", pass_on)
    page.goto("/data")
    page.locator("input.fm-file").set_input_files(tmp_path / "cut.csv")
    expect(page.get_by_role("heading", name="cut")).to_be_visible(timeout=60_000)
    assert len(cut) == 1
    assert [len(checksum) for checksum in checked] == [64] * len(seen)
    assert [told for told in seen if told.startswith("bytes 0-")] == seen[:1]  # not from the beginning
    added = next(dataset for dataset in rest.datasets() if dataset.name == "cut")
    assert added.rows == 90_000


def test_a_sheet_is_chosen(page: Page, rest: Studio, tmp_path: Path, shoot: Callable[[str], None]) -> None:
    sheets: dict[str, list[list[workbook.Cell]]] = {
        "2023": [["a", "b"], [1, "x"]],
        "2024": [["c", "d"], [1, "x"], [2, "y"], [3, "z"]],
    }
    page.goto("/data")
    page.locator("input.fm-file").set_input_files(workbook.write(tmp_path / "takings.xlsx", sheets))
    choice = page.get_by_label("Table of takings.xlsx to read")
    expect(choice).to_be_visible()
    shoot("upload-choose-light")
    choice.select_option("2024")
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="takings")).to_be_visible()
    added = next(dataset for dataset in rest.datasets() if dataset.name == "takings")
    assert (added.rows, added.columns) == (3, 2)
