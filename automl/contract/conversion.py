"""Values, lists and polars series, turned into what a column is fed.

Single values are read by `reading`. A series of the type that the column expects is converted as a whole;
what is odd in it is read once for each distinct value, so that all ways always agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flowml.automl.contract.column import ContractColumn
from flowml.automl.contract.feeds import MISSING_DATE, missing
from flowml.automl.contract.reading import DTYPES, EMPTY, Converted, read, read_each
from flowml.automl.contract.surprises import Surprise
from flowml.automl.contract.values import NATURAL_IN_TEXT
from flowml.automl.contract.whole import of_whole

NEVER_MISSING = "missing, which it never was in training"


def of_value(column: ContractColumn, value: Any) -> tuple[Any, str]:
    """The stored value and a remark, empty where nothing was unexpected."""
    stored, told = read(column, value)
    if not told and column.missing_share == 0.0 and _is_empty(stored):
        return stored, NEVER_MISSING
    return stored, told


def of_series(column: ContractColumn, series: pl.Series, as_text: bool = False) -> Converted:
    """`as_text`: the table can hold nothing but text, so numbers and dates as text are no surprise."""
    stored, surprises = of_whole(column, series)
    if as_text:
        surprises = [each for each in surprises if each.message not in NATURAL_IN_TEXT]
    return stored.reshape(-1, 1), surprises + _never_missing(column, stored, surprises)


def of_list(column: ContractColumn, values: Iterable[Any]) -> Converted:
    stored, surprises = read_each(column, list(values))
    return stored.reshape(-1, 1), surprises + _never_missing(column, stored, surprises)


def absent(column: ContractColumn, rows: int) -> Converted:
    """What stands in for a column that did not come."""
    stored = np.full((rows, 1), EMPTY[column.kind], DTYPES[column.kind])
    told = Surprise(column.name, "the column did not come: taken as missing", np.arange(rows), whole=True)
    return stored, [told] if rows else []


def _is_empty(stored: Any) -> bool:
    return bool(stored != stored or stored == "" or stored == MISSING_DATE)


def _never_missing(
    column: ContractColumn, stored: npt.NDArray[Any], surprises: list[Surprise]
) -> list[Surprise]:
    if column.missing_share > 0:
        return []
    empty = missing(stored)
    for surprise in surprises:
        if not surprise.whole:
            empty[surprise.rows] = False  # told already
    rows = np.flatnonzero(empty)
    return [Surprise(column.name, NEVER_MISSING, rows)] if len(rows) else []
