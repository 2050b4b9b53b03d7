"""What one value becomes in its column, and every distinct value of a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.automl.contract import values as one
from flowml.automl.contract.column import ContractColumn, Kind
from flowml.automl.contract.feeds import MISSING_DATE
from flowml.automl.contract.surprises import Surprise

DTYPES: dict[Kind, Any] = {
    Kind.NUMBER: np.float64,
    Kind.STRING: object,
    Kind.DATETIME: np.int64,
    Kind.TEXT: object,
}
EMPTY: dict[Kind, Any] = {Kind.NUMBER: np.nan, Kind.STRING: "", Kind.DATETIME: MISSING_DATE, Kind.TEXT: ""}

# Messages beyond this many in a column are told as one.
MANY = 1_000

Converted = tuple[npt.NDArray[Any], list[Surprise]]


def read(column: ContractColumn, value: Any) -> tuple[Any, str]:
    """The stored value and a remark, empty where nothing was unexpected. Never raises."""
    try:
        return _READERS[column.kind](column, value)
    except Exception:  # a value of a stranger's class may raise anything
        return EMPTY[column.kind], f"a value of type {type(value).__name__} cannot be read: taken as missing"


def read_each(column: ContractColumn, values: Sequence[Any]) -> Converted:
    """A flat array. Every distinct value is read once."""
    seen = dict[Any, tuple[Any, str]]()
    stored = np.empty(len(values), DTYPES[column.kind])
    told = dict[str, list[int]]()
    for row, value in enumerate(values):
        pair = _known(seen, value)
        if pair is None:
            pair = read(column, value)
            _remember(seen, value, pair)
        stored[row] = pair[0]
        if pair[1]:
            told.setdefault(pair[1], []).append(row)
    return stored, gathered(column, told)


def gathered(column: ContractColumn, told: dict[str, list[int]]) -> list[Surprise]:
    """The rows of each message as surprises; of very many messages one."""
    if len(told) > MANY:
        rows = sorted(row for each in told.values() for row in each)
        told = {"value not seen in training, or not fit for the column": rows}
    return [Surprise(column.name, message, np.array(rows)) for message, rows in told.items()]


def _known(seen: dict[Any, tuple[Any, str]], value: Any) -> tuple[Any, str] | None:
    try:
        return seen.get((type(value), value))
    except Exception:  # it cannot be hashed, such as a list, or compared
        return None


def _remember(seen: dict[Any, tuple[Any, str]], value: Any, pair: tuple[Any, str]) -> None:
    try:
        seen[type(value), value] = pair
    except Exception:  # as above
        return


def _category(column: ContractColumn, value: Any) -> tuple[str, str]:
    stored, told = one.text(value)
    if told or not stored or stored in column.known:
        return stored, told
    meant = column.spellings.find(stored)
    if meant is None and isinstance(value, bool | np.bool_):
        meant = column.spellings.folded.get(stored)
    if meant is not None:
        plain = isinstance(value, bool | np.bool_ | int)
        return meant, "" if plain else f"category {one.shown(stored)} read as {one.shown(meant)}"
    return stored, f"category {one.shown(stored)} was not seen in training" if column.complete else ""


_READERS: dict[Kind, Callable[[ContractColumn, Any], tuple[Any, str]]] = {
    Kind.NUMBER: lambda column, value: one.number(value, column.reading, column.written),
    Kind.STRING: _category,
    Kind.DATETIME: lambda column, value: one.seconds(value, column.zoned, column.written),
    Kind.TEXT: lambda _, value: one.text(value),
}
