"""Tables in memory, of polars or pandas, as they travel to a studio and back."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any

from flowml.storage.errors import DataError
from flowml.ui.api.bodies.results import Prediction

ROWS = 5_000  # of a request
JSON = {"Content-Type": "application/json"}


def is_frame(table: Any) -> bool:
    return hasattr(table, "columns") and hasattr(table, "shape")


def of_pandas(table: Any) -> bool:
    return type(table).__module__.startswith("pandas")


def as_polars(table: Any) -> Any:
    """Raises DataError for what is no table."""
    import polars as pl

    if isinstance(table, pl.DataFrame):
        return table
    try:
        return pl.from_pandas(table)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"A {type(table).__name__} cannot be read as a table: {error}.",
            "Give a path, or a polars or pandas DataFrame.",
        ) from error


def parquet(table: Any) -> bytes:
    content = io.BytesIO()
    as_polars(table).write_parquet(content)
    return content.getvalue()


def read_parquet(content: bytes, pandas: bool) -> Any:
    import polars as pl

    table = pl.read_parquet(io.BytesIO(content))
    return table.to_pandas() if pandas else table


def pieces(table: Any) -> Iterator[list[dict[str, Any]]]:
    """The rows as JSON takes them, some thousand at a time."""
    whole = as_polars(table)
    for start in range(0, whole.height, ROWS):
        yield [
            {name: cell(value) for name, value in row.items()}
            for row in whole.slice(start, ROWS).iter_rows(named=True)
        ]


def cell(value: Any) -> Any:
    """A value as JSON knows it: dates in ISO form, None for what is no number."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def answers(told: list[Prediction], pandas: bool) -> Any:
    """Predictions as a frame: prediction, probability_CLASS for each class, warnings."""
    import polars as pl

    rows: list[dict[str, Any]] = []
    for each in told:
        shares = each.probability or [None] * len(each.prediction)
        said: dict[int, list[str]] = {}
        for warning in each.warnings:
            said.setdefault(warning.row or 0, []).append(warning.message)
        for number, (value, share) in enumerate(zip(each.prediction, shares, strict=True)):
            probabilities = {f"probability_{name}": number_ for name, number_ in (share or {}).items()}
            warnings = "; ".join(said.get(number, []))
            rows.append({"prediction": value, **probabilities, "warnings": warnings})
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.to_pandas() if pandas else frame


def body(rows: Any) -> bytes:
    """A request's body for rows that hold dates or numbers of numpy as well."""
    return json.dumps({"data": rows}, default=_plain).encode()


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else cell(value)
