"""Small tables of the kinds that users bring, with their schemas."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from flowml.automl.prepared import Prepared, prepare_frame
from flowml.storage.records import Column, DatasetSchema, JobSpec, Role

TYPES = {pl.String: ("string", Role.CATEGORICAL), pl.Boolean: ("boolean", Role.BOOLEAN)}


def schema_of(frame: pl.DataFrame, **roles: Role) -> DatasetSchema:
    columns = []
    for series in frame.get_columns():
        kind, role = TYPES.get(type(series.dtype), ("number", Role.NUMERIC))
        if series.dtype.is_temporal():
            kind, role = "datetime", Role.DATETIME
        columns.append(Column(series.name, kind, roles.get(series.name, role)))
    return DatasetSchema(frame.height, tuple(columns))


def customers(rows: int = 240, seed: int = 1) -> pl.DataFrame:
    """Who leaves (binary), which plan they have (three classes), what they spend (a skewed number)."""
    generator = np.random.default_rng(seed)
    age = generator.integers(18, 80, rows)
    income = generator.lognormal(3, 0.5, rows)
    region = generator.choice(["north", "south", "east", "west"], rows)
    signal = (age - 45) / 20 + np.where(region == "north", 1.0, 0.0) + 0.6 * generator.normal(size=rows)
    plan = np.array(["basic", "plus", "pro"])[np.digitize(signal, [-0.5, 0.7])]
    frame = pl.DataFrame(
        {
            "age": age,
            "income": np.where(generator.random(rows) < 0.1, np.nan, income),
            "region": region,
            "member": generator.random(rows) < 0.5,
            "left": np.where(signal > 0.2, "yes", "no"),
            "plan": plan,
            "spend": np.exp(signal + 2).round(3),
        }
    )
    return frame.with_columns(pl.col("income").fill_nan(None))


TARGETS = ("left", "plan", "spend")


def prepared(target: str = "left", rows: int = 240, **spec: Any) -> Prepared:
    frame = customers(rows)
    frame = frame.drop([name for name in TARGETS if name != target])
    return prepare_frame(frame, schema_of(frame), JobSpec(target, **spec))
