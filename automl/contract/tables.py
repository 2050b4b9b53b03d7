"""Rows in any usual form, taken apart into columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import polars as pl

from flowml.storage.errors import ContractError

# A polars, pandas or Arrow table, one row as a dict, or a list of rows.
Rows: TypeAlias = Any

_EXPECTED = "Give a polars, pandas or Arrow table, a dict of one row, or a list of such dicts."
_UNFIT = (TypeError, ValueError, OverflowError, AttributeError, ImportError)  # a type that polars lacks


@dataclass(frozen=True)
class Table:
    rows: int
    columns: dict[str, pl.Series | list[Any]]


def read(rows: Rows) -> Table:
    if isinstance(rows, pl.DataFrame):
        return Table(rows.height, {series.name: series for series in rows.get_columns()})
    if isinstance(rows, Mapping):
        return _of_dicts([rows])
    if isinstance(rows, Sequence) and not isinstance(rows, str | bytes):
        return _of_dicts(rows)
    if type(rows).__module__.partition(".")[0] == "pandas" and hasattr(rows, "columns"):
        return _of_pandas(rows)
    if hasattr(rows, "__arrow_c_stream__"):
        return _of_arrow(rows)
    raise ContractError(f"Rows came as {type(rows).__name__}, which is no table.", _EXPECTED)


def _of_dicts(rows: Sequence[Any]) -> Table:
    columns: dict[str, list[Any]] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise ContractError(f"Row {number} came as {type(row).__name__}, not as a dict.", _EXPECTED)
        for name, value in row.items():
            cells = columns.get(name)
            if cells is None:
                cells = columns[name] = [None] * len(rows)
            cells[number] = value
    return Table(len(rows), _by_text(columns.items()))


def _of_arrow(rows: Any) -> Table:
    try:
        return read(pl.DataFrame(rows))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError, ValueError) as error:
        raise ContractError(f"The Arrow table cannot be read: {error}", _EXPECTED) from error


def _of_pandas(rows: Any) -> Table:
    pairs = ((name, _pandas_column(rows.iloc[:, place])) for place, name in enumerate(rows.columns))
    return Table(len(rows), _by_text(pairs))


def _pandas_column(values: Any) -> pl.Series | list[Any]:
    """A column that pandas keeps as objects may mix types: its values are looked at one by one."""
    if values.dtype == object:
        return list(values)
    try:
        return pl.Series(values=values)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, *_UNFIT):
        return list(values)


def _by_text(pairs: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, values in pairs:
        if str(name) in columns:
            raise ContractError(
                f"Two columns are called {str(name)!r}.", "Give each column a name of its own."
            )
        columns[str(name)] = values
    return columns
