"""Tables in memory, of polars or pandas, as they travel to a studio and back."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from flowml.storage.errors import DataError
from flowml.ui.api.bodies.results import Prediction

ROWS = 5_000  # of a request,
MOST_BYTES = 20 * 2**20  # and its length
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


def bodies(table: Any) -> Iterator[bytes]:
    """Requests for the predictions of all rows: some thousand each, fewer where they are long.

    Raises DataError for what is no table, and where two columns have one name.
    """
    whole = _rows_of_pandas(table) if of_pandas(table) else as_polars(table)
    for start in range(0, whole.height, ROWS):
        yield from _fitting(list(whole.slice(start, ROWS).iter_rows(named=True)))


def _fitting(rows: list[dict[str, Any]]) -> Iterator[bytes]:
    content = body(rows, per_row=True)
    if len(content) <= MOST_BYTES or len(rows) == 1:
        yield content
        return
    middle = len(rows) // 2
    yield from _fitting(rows[:middle])
    yield from _fitting(rows[middle:])


def _rows_of_pandas(table: Any) -> Any:
    """As polars, but columns that pandas keeps as objects may mix types: their values stay as they are."""
    import polars as pl

    names = [str(name) for name in table.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"Two columns are called {twice!r}.", "Give each column a name of its own.")
    columns = [_column_of_pandas(name, table.iloc[:, place]) for place, name in enumerate(names)]
    return pl.DataFrame(columns)


def _column_of_pandas(name: str, values: Any) -> Any:
    import polars as pl

    if values.dtype.kind == "O":  # objects, and types of pandas' own
        return pl.Series(name, values.tolist(), dtype=pl.Object)
    return pl.Series(name, pl.from_pandas(values))


def cell(value: Any) -> Any:
    """A value as JSON knows it: dates in ISO form, durations in seconds, None for what is no number."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if hasattr(value, "dtype"):  # of numpy
        kind = value.dtype.kind
        return cell((value.astype(f"{kind}8[us]") if kind in "mM" else value).tolist())
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return [cell(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): cell(each) for name, each in value.items()}
    return str(value)


def answers(told: Sequence[Prediction], pandas: bool) -> Any:
    """Predictions as a frame: prediction, probability_CLASS for each class, warnings.

    Each row bears its own warnings; what was remarked of whole columns stands in the first row.
    """
    import polars as pl

    columns: dict[str, list[Any]] = {"prediction": []}
    said: list[str] = []
    for each in told:
        columns["prediction"] += each.prediction
        for share in each.probability or ():
            for name, number in share.items():
                columns.setdefault(f"probability_{name}", []).append(number)
        said += each.row_warnings or [""] * len(each.prediction)
    if said:
        said[0] = "; ".join([*_of_columns(told[0]), *filter(None, said[:1])])
    frame = pl.DataFrame({**columns, "warnings": said}, strict=False)
    return frame.to_pandas() if pandas else frame


def _of_columns(told: Prediction) -> Iterator[str]:
    rows = told.row_warnings or [""]
    for warning in told.warnings:
        words = f"{warning.column}: {warning.message}"
        if words not in rows[warning.row or 0]:
            yield words


def no_answers(contract: Mapping[str, Any], pandas: bool) -> Any:
    """The frame for no rows, with the columns and types of any other of this model."""
    import polars as pl

    kinds: dict[str, Any] = {"integer": pl.Int64, "boolean": pl.Boolean}
    classes = contract.get("classes") or ()
    kind = kinds.get(contract.get("label_type", ""), pl.String) if classes else pl.Float64
    shares = {f"probability_{name}": pl.Float64 for name in classes}
    frame = pl.DataFrame(schema={"prediction": kind, **shares, "warnings": pl.String})
    return frame.to_pandas() if pandas else frame


def body(rows: Any, per_row: bool = False) -> bytes:
    """A request's body for rows that hold dates or numbers of numpy as well."""
    asked = {"data": cell(rows)} | ({"per_row": True} if per_row else {})
    return json.dumps(asked).encode()
