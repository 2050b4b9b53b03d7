"""The queries that mend a table: values marked as missing, columns of another type, rows left out.

They are plain `SELECT … FROM dataset`, so whatever a click changes can be read, and written by hand as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DAY_FIRST = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y")
COMPACT = ("%Y%m%d", "%Y/%m/%d", "%Y.%m.%d")
CLOCKS = ("", " %H:%M", " %H:%M:%S")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def replaced(expressions: Mapping[str, str]) -> str:
    """All columns, some of them computed."""
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


def rows_without(name: str, values: Sequence[str]) -> str:
    column = quoted(name)
    return f"SELECT * FROM dataset\nWHERE {column} IS NULL OR {column} NOT IN ({', '.join(values)})"


def distinct_rows(names: Sequence[str], width: int) -> str:
    """The first of the rows that are alike in the named columns, of the `width` that there are."""
    if width <= len(names):
        return "SELECT DISTINCT * FROM dataset"
    return f"SELECT DISTINCT ON ({', '.join(map(quoted, names))}) * FROM dataset"


# --- types ------------------------------------------------------------------------------------------------


def as_number(name: str) -> str:
    """What is no number becomes missing."""
    return f"TRY_CAST({quoted(name)} AS DOUBLE)"


def as_integer(name: str) -> str:
    return f"TRY_CAST({quoted(name)} AS BIGINT)"


def as_text(name: str) -> str:
    return f"CAST({quoted(name)} AS VARCHAR)"


def as_day_first(name: str) -> str:
    return _as_date(name, (*COMPACT, *DAY_FIRST))


def as_month_first(name: str) -> str:
    return _as_date(name, (*COMPACT, *MONTH_FIRST))


def as_seconds(name: str) -> str:
    """A number of seconds since 1970 as a moment."""
    return f"make_timestamp(CAST(TRY_CAST({quoted(name)} AS DOUBLE) * 1000000 AS BIGINT))"


def _as_date(name: str, days: Sequence[str]) -> str:
    """ISO dates, and those that are written otherwise."""
    column = f"CAST({quoted(name)} AS VARCHAR)"
    ways = ", ".join(text(day + clock) for day in days for clock in CLOCKS)
    return f"coalesce(TRY_CAST({column} AS TIMESTAMP), try_strptime({column}, [{ways}]))"


# What a user may read a column as: key, and how it is done.
TYPES = {
    "number": as_number,
    "whole number": as_integer,
    "text": as_text,
    "date, day first": as_day_first,
    "date, month first": as_month_first,
    "date from seconds": as_seconds,
}


def retyped(wanted: Mapping[str, str]) -> str:
    """The query that reads columns as other types, by keys of TYPES."""
    return replaced({name: TYPES[key](name) for name, key in wanted.items()})
