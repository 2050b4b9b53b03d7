"""The card says what a reader needs, and shows strange names as they are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from flowml.automl.card import card, to_markdown
from flowml.automl.contract import Contract
from flowml.storage.records import Finding, Importance, Json, Record, Severity, Task
from tests.automl.onnx.champions import train


@dataclass(frozen=True)
class Described(Record):
    """What the card asks of a champion."""

    contract: Json
    task: Task
    name: str = "Ensemble of 2"
    algorithm: str = "ensemble"
    metric: str = "roc_auc"
    direction: str = "maximize"
    score: float = 0.87654321
    score_std: float = 0.01
    threshold: float | None = None
    latency_ms: float | None = 0.4
    rows_per_second: float | None = 9000.0
    size_bytes: int = 1_200_000
    members: tuple[str, ...] = ("LightGBM 3", "CatBoost | 4")
    weights: tuple[float, ...] = (0.6, 0.4)
    parity: Json = field(default_factory=lambda: {"rows": 2000, "max_difference": 6e-8})
    importances: tuple[Importance, ...] = (Importance("age", 0.1, 0.02),)
    notes: tuple[str, ...] = ("Passed over: <b>nothing</b>",)


def described(task: Task) -> Json:
    trained = train(task, ("dummy",))
    noticed = Finding("leakage", Severity.WARNING, "'total' alone predicts it.", "total", "Leave it out.")
    facts = {"rows": 300, "split": "5 folds by row"}
    return card(Described(trained.contract.to_dict(), task), facts, [noticed])


@pytest.mark.parametrize("task", list(Task))
def test_it_is_plain_json_and_names_every_column(task: Task) -> None:
    made = described(task)
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert [column["name"] for column in made["columns"]][:2] == ["age", "income"]
    assert set(made["outputs"]) == ({"prediction"} if task is Task.REGRESSION else {"label", "probabilities"})


@pytest.mark.parametrize("task", list(Task))
def test_markdown_tells_the_essentials(task: Task) -> None:
    text = to_markdown(described(task))
    for part in (
        "# Ensemble of 2",
        "0.876543",
        "8 categories",
        "300",
        "2,000 ordinary",
        "| age | 0.1 ± 0.02 |",
    ):
        assert part in text
    assert "CatBoost \\| 4" in text
    assert "<b>" not in text.replace("\\<b\\>", "")


def test_names_with_marks_stay_in_their_cell() -> None:
    trained = train(Task.BINARY, ("dummy",))
    values = trained.contract.to_dict()
    values["columns"][0]["name"] = "a|b\n# c `d` <script>"
    contract = Contract.from_dict(values)
    text = to_markdown(card(Described(contract.to_dict(), Task.BINARY)))
    assert "a\\|b \\# c \\`d\\` \\<script\\>" in text
