from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from flowml.automl.problem import define
from flowml.automl.splitters import SPLITTERS, Folds, split
from flowml.storage.errors import DataError, TooFewRows
from flowml.storage.records import JobSpec
from tests.automl.tables import customers, schema_of


def folds_of(rows: int = 100, target: str = "left", frame: pl.DataFrame | None = None, **spec: Any) -> Folds:
    frame = customers(rows) if frame is None else frame
    job = JobSpec(target, **spec)
    return split(define(frame, schema_of(frame), job), job)


def dated(rows: int = 100) -> pl.DataFrame:
    return customers(rows).with_columns(
        pl.Series("day", np.arange(rows) // 3), pl.Series("shop", np.arange(rows) % 7)
    )


ASKED = {
    "kfold": {"folds": 4},
    "repeated": {},
    "holdout": {"split": "holdout"},
    "group": {"split": "group:shop", "folds": 3},
    "time": {"split": "time:day", "folds": 3},
}
PAIRS = {"kfold": 4, "repeated": 10, "holdout": 1, "group": 3, "time": 3}


def test_every_row_has_a_case() -> None:
    assert set(ASKED) == set(SPLITTERS)


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("target", ["left", "plan", "spend"])
def test_folds_are_sound(kind: str, target: str) -> None:
    folds = folds_of(target=target, frame=dated(), **ASKED[kind])
    assert (folds.kind, len(folds.pairs)) == (kind, PAIRS[kind])
    for train, valid in folds.pairs:
        assert not set(train) & set(valid)
        assert len(train) >= len(valid) > 0
    validated = np.unique(np.concatenate([valid for _, valid in folds.pairs]))
    assert folds.rows.tolist() == validated.tolist()
    assert folds.reason


@pytest.mark.parametrize("kind", ASKED)
def test_the_same_seed_gives_the_same_folds_and_another_one_others(kind: str) -> None:
    first, again, other = (folds_of(frame=dated(), seed=seed, **ASKED[kind]) for seed in (0, 0, 1))
    assert first.id == again.id
    if kind not in ("time",):
        assert first.id != other.id


def test_classes_and_values_are_spread_evenly() -> None:
    frame = customers(103)
    shares = [
        (frame["left"].to_numpy()[valid] == "yes").mean() for _, valid in folds_of(frame=frame, folds=5).pairs
    ]
    assert max(shares) - min(shares) < 0.06
    means = [
        frame["spend"].to_numpy()[valid].mean() for _, valid in folds_of(103, "spend", frame, folds=5).pairs
    ]
    assert max(means) < 1.6 * min(means)


def test_groups_stay_together_and_time_runs_forward() -> None:
    frame = dated()
    shop, day = frame["shop"].to_numpy(), frame["day"].to_numpy()
    for train, valid in folds_of(frame=frame, split="group:shop").pairs:
        assert not set(shop[train]) & set(shop[valid])
    folds = folds_of(frame=frame, split="time:day")
    for train, valid in folds.pairs:
        assert day[train].max() < day[valid].min()
    assert folds.kept == (len(folds.pairs) - 1,)


def test_predictions_are_gathered_by_row_and_averaged_where_repeated() -> None:
    folds = folds_of(folds=4)
    parts = [valid * 1.0 for _, valid in folds.pairs]
    assert folds.gather(parts).tolist() == folds.rows.tolist()
    repeated = folds_of()
    parts = [np.full((len(valid), 2), k // 5) for k, (_, valid) in enumerate(repeated.pairs)]
    assert (repeated.gather(parts) == 0.5).all()


def test_size_and_budget_decide_how_many_folds() -> None:
    kinds = [
        (folds.kind, len(folds.pairs))
        for rows, budget in (
            (100, 60),
            (2000, 1),
            (150_000, 60),
            (250_000, 60),
            (400_000, 60),
            (400_000, 600),
        )
        for folds in [folds_of(rows, budget_s=budget)]
    ]
    assert kinds == [
        ("repeated", 10),
        ("kfold", 5),
        ("kfold", 5),
        ("kfold", 3),
        ("holdout", 1),
        ("kfold", 5),
    ]


def test_many_rows_of_many_classes_are_held_out() -> None:
    frame = customers(40_000).with_columns(pl.Series("kind", [f"k{i % 9}" for i in range(40_000)]))
    assert folds_of(frame=frame, target="kind", budget_s=60.0).kind == "holdout"
    assert folds_of(frame=frame[:15_000], target="kind", budget_s=60.0).kind == "kfold"


def test_what_cannot_be_split_says_why() -> None:
    with pytest.raises(TooFewRows, match="60 folds need 60 rows"):
        folds_of(50, folds=60)
    one = dated().with_columns(pl.lit("a").alias("shop"))
    with pytest.raises(DataError, match="single value"):
        folds_of(frame=one, split="group:shop")
    same = dated().with_columns(pl.lit(1).alias("day"))
    with pytest.raises(DataError, match="earliest time"):
        folds_of(frame=same, split="time:day")
    split_classes = dated().with_columns(pl.when(pl.col("left") == "yes").then(0).otherwise(1).alias("shop"))
    with pytest.raises(DataError, match="a single class"):
        folds_of(frame=split_classes, split="group:shop")
