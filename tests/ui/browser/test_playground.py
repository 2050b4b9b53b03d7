"""Hostile values typed into the form of a model get the numbers and warnings that REST gives."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from flowml.storage.records import Json
from flowml.ui import words
from flowml.ui.client import Studio
from flowml.ui.components import predict_form

SHARES = """() => {
    const bars = document.querySelector('.js-plotly-plot')?._fullData?.[0]
    return bars ? Object.fromEntries(Array.from(bars.y, (name, at) => [name, bars.x[at]])) : {}
}"""
# One after another into the same form: its label, what is typed, what a program would send for it.
TYPED: tuple[tuple[str, str, object], ...] = (
    ("tenure", "12.5", 12.5),
    ("monthly charge", "1e300", 1e300),
    ("contract", "Atlantis", "Atlantis"),
    ("payment", " Card ", " Card "),
    ("tenure", "", None),
)


def test_the_form_answers_hostile_values_as_rest_does(
    page: Page, rest: Studio, trained: dict[str, str]
) -> None:
    model = trained["model"]
    row: Json = {field.name: field.typical for field in predict_form.fields(rest.model(model))}
    page.goto(f"/predict?model={model}")
    for name, typed, sent in TYPED:
        field = page.get_by_role("spinbutton", name=name).or_(page.get_by_role("combobox", name=name))
        field.fill(typed)
        field.press("Enter")
        row[name] = sent
        _same(page, rest, model, row)


def _same(page: Page, rest: Studio, model: str, row: Json) -> None:
    told = rest.predict(model, [row])
    assert told.probability is not None
    (shares,) = told.probability
    for warning in told.warnings:
        said = f"{warning.column}: {warning.message}"
        expect(page.get_by_test_id("stAlert")).to_contain_text(words.sentence(said))
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(str(told.prediction[0]))
    page.wait_for_function(
        f"([shares, least]) => Object.entries(({SHARES})()).length && Object.entries(({SHARES})())"
        ".every(([name, share]) => Math.abs(share - shares[name]) <= least)",
        arg=[dict(shares), 1e-6],
    )
    assert page.evaluate(SHARES) == pytest.approx(shares, abs=1e-6)
