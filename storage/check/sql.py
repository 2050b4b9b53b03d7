"""The queries that mend a table, as fixes of findings hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def replaced(expressions: Mapping[str, str]) -> str:
    """All columns, some of them computed; an expression names its column itself."""
    listed = ",\n  ".join(f"{expression} AS {quoted(name)}" for name, expression in expressions.items())
    return f"SELECT * REPLACE (\n  {listed}\n)\nFROM dataset"


def without_values(name: str, values: Sequence[str]) -> str:
    """The column with some values missing; `values` are SQL."""
    column = quoted(name)
    return f"CASE WHEN {column} IN ({', '.join(values)}) THEN NULL ELSE {column} END"


def within(name: str, low: float, high: float) -> str:
    """The column with values missing that lie outside."""
    column = quoted(name)
    return f"CASE WHEN {column} BETWEEN {low!r} AND {high!r} THEN {column} END"


def as_number(name: str) -> str:
    return f"TRY_CAST({quoted(name)} AS DOUBLE)"


def rows_without(name: str, values: Sequence[str]) -> str:
    column = quoted(name)
    return f"SELECT * FROM dataset\nWHERE {column} IS NULL OR {column} NOT IN ({', '.join(values)})"


def distinct_rows(names: Sequence[str], order: int) -> str:
    """The first of the rows that are alike in the named columns, in the order of the table."""
    if order <= len(names):  # alike in all columns
        return "SELECT DISTINCT * FROM dataset"
    listed = ", ".join(quoted(name) for name in names)
    return f"SELECT DISTINCT ON ({listed}) * FROM dataset"
