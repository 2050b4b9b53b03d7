"""RIVALS: libraries with their defaults, on the columns as they are. They only may not outlast the budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from bench.answers import Answers, Array, texts
from bench.tables import Table
from flowml.storage.records import Task

Rival = Callable[[Table, pl.DataFrame, pl.DataFrame, float, int, int], Answers]
SHARE = 0.95  # of the budget, after which no round begins


def catboost_default(
    table: Table, train: pl.DataFrame, rows: pl.DataFrame, budget_s: float, seed: int, threads: int
) -> Answers:
    import catboost

    regression = table.task is Task.REGRESSION
    kind = catboost.CatBoostRegressor if regression else catboost.CatBoostClassifier
    words = [name for name, dtype in train.drop(table.target).schema.items() if _is_category(dtype)]
    model = kind(
        thread_count=threads, random_seed=seed, verbose=False, allow_writing_files=False, cat_features=words
    )
    y = train[table.target].to_numpy() if regression else np.array(texts(train[table.target]))
    model.fit(_plain(train.drop(table.target)), y, callbacks=[_Until(budget_s)])
    X = _plain(rows.drop(table.target))
    if regression:
        return Answers(model.predict(X))
    classes = tuple(map(str, model.classes_))
    return _classes(np.asarray(model.predict_proba(X)), classes)


class _Until:
    def __init__(self, budget_s: float) -> None:
        self._end = time.monotonic() + SHARE * budget_s

    def after_iteration(self, _: Any) -> bool:
        return time.monotonic() < self._end


def lightgbm_default(
    table: Table, train: pl.DataFrame, rows: pl.DataFrame, budget_s: float, seed: int, threads: int
) -> Answers:
    import lightgbm

    regression = table.task is Task.REGRESSION
    kind = lightgbm.LGBMRegressor if regression else lightgbm.LGBMClassifier
    until = _Until(budget_s)

    def stop(env: Any) -> None:
        if not until.after_iteration(env):
            raise lightgbm.callback.EarlyStopException(env.iteration, [])

    (X, X_rows), categorical = _codes(train.drop(table.target), rows.drop(table.target))
    y = train[table.target].to_numpy() if regression else np.array(texts(train[table.target]))
    model = kind(n_jobs=threads, random_state=seed, verbosity=-1)
    model.fit(X, y, categorical_feature=categorical or "auto", callbacks=[stop])
    if regression:
        return Answers(model.booster_.predict(X_rows))
    shares = np.asarray(model.booster_.predict(X_rows))
    shares = np.column_stack([1 - shares, shares]) if shares.ndim == 1 else shares
    return _classes(shares, tuple(map(str, model.classes_)))


RIVALS: dict[str, Rival] = {"catboost": catboost_default, "lightgbm": lightgbm_default}


def _classes(shares: Array, classes: tuple[str, ...]) -> Answers:
    return Answers(shares, classes, tuple(classes[place] for place in shares.argmax(axis=1)))


def _is_category(dtype: pl.DataType) -> bool:
    return not (dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean)


def _numbers(frame: pl.DataFrame) -> list[pl.Expr]:
    """Dates and truth values as numbers."""
    temporal = [name for name, dtype in frame.schema.items() if dtype.is_temporal()]
    truth = [name for name, dtype in frame.schema.items() if dtype == pl.Boolean]
    return [pl.col(temporal).to_physical().cast(pl.Float64), pl.col(truth).cast(pl.Float64)]


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    words = [name for name, dtype in frame.schema.items() if _is_category(dtype)]
    numeric = [name for name, dtype in frame.schema.items() if dtype.is_numeric()]
    return frame.with_columns(
        *_numbers(frame), pl.col(numeric).cast(pl.Float64), pl.col(words).cast(pl.String).fill_null("NA")
    )


def _codes(train: pl.DataFrame, rows: pl.DataFrame) -> tuple[tuple[Array, Array], list[int]]:
    """Both as matrices, categories by the order in which they come in training; unseen ones are missing."""
    train, rows = train.with_columns(_numbers(train)), rows.with_columns(_numbers(rows))
    categorical = [place for place, dtype in enumerate(train.dtypes) if _is_category(dtype)]
    for place in categorical:
        name = train.columns[place]
        known = train[name].cast(pl.String).drop_nulls().unique(maintain_order=True)
        codes = {text: float(code) for code, text in enumerate(known)}
        train, rows = (
            frame.with_columns(
                pl.col(name)
                .cast(pl.String)
                .replace_strict(list(codes), list(codes.values()), default=None, return_dtype=pl.Float64)
            )
            for frame in (train, rows)
        )
    return (_matrix(train), _matrix(rows)), categorical


def _matrix(frame: pl.DataFrame) -> Array:
    matrix: Array = frame.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return matrix
