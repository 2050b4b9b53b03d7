"""A dirty table is looked into, mended by clicks, and compared with its earlier version, in a browser."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from flowml.ui.client import Studio

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa"]}}
STREAMLITS = frozenset({"list", "listitem"})


def dirty(path: Path) -> Path:
    chance = random.Random(1)
    lines = ["account,age,plan,balance,closed on,leaves"]
    for number in range(600):
        leaves = chance.random() < 0.3
        lines.append(
            f"A-{number:05},{-999 if chance.random() < 0.05 else chance.randint(18, 80)},"
            f"{chance.choice(['basic', 'plus', '?'])},{chance.gauss(50, 9) * (1 if number else 1e6):.2f},"
            f"{f'2024-0{chance.randint(1, 9)}-11' if leaves else ''},{'yes' if leaves else 'no'}"
        )
    path.write_text("\n".join(lines))
    return path


def settled(page: Page) -> None:
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=60_000
    )
    assert page.get_by_test_id("stException").all_inner_texts() == []


def barriers(page: Page) -> list[str]:
    page.mouse.move(0, 0)  # what the pointer rests on looks otherwise
    page.wait_for_timeout(300)
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in found
        for node in rule["nodes"]
        if rule["id"] not in STREAMLITS
    ]


def test_a_dirty_table_is_mended_by_clicks(
    page: Page, rest: Studio, shoot: Callable[[str], None], tmp_path: Path
) -> None:
    first = rest.upload(dirty(tmp_path / "accounts.csv"))
    page.goto(f"/data?dataset={first.id}&view=Check&target=leaves")
    expect(page.get_by_text("known only after the target")).to_be_visible()
    settled(page)
    shoot("data-dirty-check")
    assert barriers(page) == []

    page.get_by_role("button", name="Leave out").first.click()
    expect(page.get_by_text("known only after the target")).to_have_count(0)
    assert rest.dataset(first.id).roles == {"closed on": "ignored"}
    page.get_by_role("button", name="Mark as missing").first.click()
    expect(page.get_by_role("heading", name="accounts · v2")).to_be_visible()
    settled(page)

    page.get_by_text("Changes", exact=True).click()
    expect(page.get_by_text("The query that made it")).to_be_visible()
    settled(page)
    shoot("data-changes")
    assert barriers(page) == []

    page.get_by_role("button", name="Train on this").click()
    page.get_by_role("combobox", name="The column to predict").click()
    page.get_by_role("option", name="leaves").click()
    expect(page.get_by_role("heading", name="Check of the table")).to_be_visible()
    settled(page)
    shoot("train-check")
    assert barriers(page) == []
