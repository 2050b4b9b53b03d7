"""A small table with a bit of everything, and the contract learned from it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from flowml.automl.contract import Contract
from flowml.automl.problem import Feature
from flowml.storage.records import Role, Task

FEATURES = (
    Feature("age", Role.NUMERIC, "integer"),
    Feature("income", Role.NUMERIC, "number"),
    Feature("member", Role.BOOLEAN, "boolean"),
    Feature("city", Role.CATEGORICAL, "string"),
    Feature("plan", Role.CATEGORICAL, "string"),
    Feature("joined", Role.DATETIME, "date"),
    Feature("seen", Role.DATETIME, "datetime"),
    Feature("note", Role.TEXT, "string"),
)
CITIES = ["Berlin", "Bonn", "Köln", "New York", "Zürich", "a", "b", "c"]
WORDS = ["good", "Good", "bad!", "late", "refund", "thanks,", "ever", "so", "slightly"]


def mixed_table(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    """Numbers, truth values, categories, dates, text; missing values in some columns, none in others."""
    draw = np.random.default_rng(seed)

    def with_gaps(values: list[object], share: float) -> list[object]:
        return [None if gap else value for gap, value in zip(draw.random(rows) < share, values, strict=True)]

    seconds = draw.integers(-400_000_000, 1_700_000_000, rows)
    return pl.DataFrame(
        {
            "age": draw.integers(18, 90, rows),
            "income": with_gaps(list(np.round(draw.lognormal(10, 1, rows), 2)), 0.1),
            "member": with_gaps(list(draw.random(rows) < 0.5), 0.05),
            "city": with_gaps(
                list(draw.choice(CITIES, rows, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.03, 0.02])), 0.1
            ),
            "plan": draw.choice(["free", "plus", "pro"], rows),
            "joined": [dt.date(2015, 1, 1) + dt.timedelta(days=int(d)) for d in draw.integers(0, 3000, rows)],
            "seen": with_gaps([dt.datetime(1970, 1, 1) + dt.timedelta(seconds=int(s)) for s in seconds], 0.1),
            "note": with_gaps([" ".join(draw.choice(WORDS, draw.integers(0, 9))) for _ in range(rows)], 0.1),
        },
        schema_overrides={"member": pl.Boolean, "seen": pl.Datetime("us")},
    )


@pytest.fixture(scope="session")
def mixed() -> pl.DataFrame:
    return mixed_table()


@pytest.fixture(scope="session")
def features() -> tuple[Feature, ...]:
    return FEATURES


@pytest.fixture(scope="session")
def contract(mixed: pl.DataFrame) -> Contract:
    return Contract.learn(
        mixed, FEATURES, task=Task.BINARY, target="churn", classes=("no", "yes"), metric="roc_auc"
    )
