"""Columns that teach nothing, or too little for what they cost: ids, constants, twins, gaps, many kinds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import polars as pl

from flowml.storage import keys
from flowml.storage.association import ranks
from flowml.storage.check.table import Table
from flowml.storage.coded import Codes, Floats
from flowml.storage.records import Column, Finding, Role, Severity

EXPECTED_TWICE = 20.0  # values that chance would repeat,
FEW_TWICE = 0.35  # of which no more are: then they were handed out
UNIQUE = 0.8  # of the values, at least
ALMOST = 0.001  # of the rows, at most, that differ from the value of all others
EMPTY, SPARSE = 0.95, 0.5  # shares of missing values
MANY_KINDS, ROWS_PER_KIND = 50, 5.0
VERY_MANY_KINDS = 1000
MOST_TWINS = 400  # columns of numbers that are held against each other
ALIKE = 0.99999
UNIQUE_TEXTS = 0.98
NUMBERED = r"^\D{0,12}(\d{3,15})\D{0,30}$"  # a number with some words around it, as C-00012
IGNORE = Role.IGNORED.value


def find_identifiers(table: Table) -> Iterator[Finding]:
    for column in table.features:
        reason = _names_rows(column, table)
        if reason:
            yield Finding(
                "identifier",
                Severity.WARNING,
                f"{column.name!r} seems to name single rows: {reason}.",
                column.name,
                "Leave it out: a new row has a value that was never seen.",
                {"distinct": column.unique},
                {"roles": {column.name: Role.IDENTIFIER.value}},
            )
    for column in table.schema.columns:
        known = table.rows - column.missing
        if table.roles.get(column.name) is Role.IDENTIFIER and column.unique >= UNIQUE * known:
            yield Finding(
                "identifier",
                Severity.NOTE,
                f"{column.name!r} names rows and is not learned from: {column.reason}.",
                column.name,
                evidence={"distinct": column.unique},
            )


def _names_rows(column: Column, table: Table) -> str | None:
    known = table.rows - column.missing
    if known < 20 or column.unique < UNIQUE * known or keys.names_time(column.name):
        return None
    if table.roles[column.name] is Role.TEXT or column.type in ("date", "datetime", "time", "duration"):
        return None
    if column.type == "integer" and isinstance(column.minimum, float) and isinstance(column.maximum, float):
        return _handed_out(column.minimum, column.maximum, known, column.unique)
    if column.type == "string":
        numbers = table.frame[column.name].drop_nulls().str.extract(NUMBERED).cast(pl.Int64, strict=False)
        if numbers.null_count() == 0 and len(numbers):
            low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
            return _handed_out(low, high, known, column.unique)
        return "a text of its own in almost every row" if column.unique >= UNIQUE_TEXTS * known else None
    return None


def _handed_out(low: float, high: float, known: int, unique: int) -> str | None:
    """Whether chance would have repeated some numbers of this range that often, and none is repeated."""
    expected = known * known / 2 / max(1.0, high - low + 1)
    twice = known - unique
    if expected < EXPECTED_TWICE or twice > FEW_TWICE * expected:
        return None
    return f"of {known:,} numbers from {low:.0f} to {high:.0f} {twice or 'none'} occur twice"


def find_constants(table: Table) -> Iterator[Finding]:
    for column in table.schema.columns:
        role = table.roles.get(column.name)
        if role is None or role is Role.TARGET:
            continue
        if role is Role.CONSTANT or column.unique == 0:
            yield Finding(
                "constant",
                Severity.NOTE,
                f"{column.name!r} is not learned from: {column.reason or 'it holds one value'}.",
                column.name,
            )
            continue
        most = column.top_counts[0] if column.top_counts else 0
        others = table.rows - most
        if most and others <= ALMOST * table.rows and others < table.rows:
            yield Finding(
                "constant",
                Severity.NOTE,
                f"{column.name!r} is {column.top[0]!r} in all rows but {others}.",
                column.name,
                "It can teach nothing; leave it out.",
                {"value": column.top[0], "others": others},
                {"roles": {column.name: IGNORE}},
            )


def find_gaps(table: Table) -> Iterator[Finding]:
    for column in table.features:
        share = column.missing / max(1, table.rows)
        if share < SPARSE:
            continue
        empty = share >= EMPTY
        yield Finding(
            "missing",
            Severity.WARNING if empty else Severity.NOTE,
            f"{column.name!r} is missing in {share:.1%} of the rows.",
            column.name,
            "Leave it out, unless the few values matter." if empty else "",
            {"missing": column.missing, "share": round(share, 4)},
            {"roles": {column.name: IGNORE}} if empty else {},
        )


def find_many_kinds(table: Table) -> Iterator[Finding]:
    for column in table.features:
        if table.roles[column.name] is not Role.CATEGORICAL:
            continue
        known = table.rows - column.missing
        scarce = column.unique > MANY_KINDS and known < ROWS_PER_KIND * column.unique
        if scarce or column.unique > VERY_MANY_KINDS:
            yield Finding(
                "high_cardinality",
                Severity.NOTE,
                f"{column.name!r} has {column.unique:,} kinds over {known:,} rows: most are too rare.",
                column.name,
                "Join rare kinds, or leave the column out.",
                {"distinct": column.unique, "rows": known},
                {"roles": {column.name: IGNORE}},
            )


# --- twins ------------------------------------------------------------------------------------------------


def find_twins(table: Table) -> Iterator[Finding]:
    """Columns that say the same as an earlier one: equal, renamed, or in another unit."""
    told: set[str] = set()
    for first, second, how in itertools.chain(_renamed(table), _correlated(table)):
        if second in told:
            continue
        told.add(second)
        yield Finding(
            "duplicate_column",
            Severity.NOTE,
            f"{second!r} {how} {first!r}.",
            second,
            "One of them is enough.",
            {"same_as": first},
            {"roles": {second: IGNORE}},
        )


def _renamed(table: Table) -> Iterator[tuple[str, str, str]]:
    """Pairs whose rows fall into the same groups. Where hardly a value recurs, the values must be equal."""
    seen: dict[bytes, str] = {}
    for column in table.features:
        values = table.frame[column.name]
        if values.n_unique() < 2 or values.dtype.is_nested():
            continue
        grouped = values.n_unique() <= len(values) / 2
        key = _groups(values).tobytes() if grouped else values.hash().to_numpy().tobytes()
        if key in seen:
            same = values.equals(table.frame[seen[key]], null_equal=True)
            yield seen[key], column.name, "holds the same values as" if same else "says the same as"
        else:
            seen[key] = column.name


def _groups(values: pl.Series) -> Codes:
    """Each row's group, numbered as they first occur."""
    frame = pl.DataFrame({"value": values})
    first = frame.with_row_index("row").group_by("value", maintain_order=True).agg(pl.len())
    numbered = first.drop("len").with_row_index("group")
    joined = frame.join(numbered, on="value", how="left", nulls_equal=True, maintain_order="left")
    groups: Codes = joined["group"].cast(pl.Int64).to_numpy()
    return groups


def _correlated(table: Table) -> Iterator[tuple[str, str, str]]:
    """Numbers that rise and fall together but for rounding."""
    found: list[tuple[str, Floats]] = []
    for column in table.features:
        if column.type not in ("number", "integer") or column.unique <= 10 or len(found) >= MOST_TWINS:
            continue
        values = table.frame[column.name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        known = np.isfinite(values)
        placed = np.zeros(len(values))  # columns with other gaps are not alike
        placed[known] = ranks(values[known])
        placed[known] -= placed[known].mean() if known.any() else 0.0
        size = float(np.sqrt((placed * placed).sum()))
        if size > 0:
            found.append((column.name, placed / size))
    if len(found) < 2:
        return
    matrix = np.stack([values for _, values in found])
    alike = np.abs(matrix @ matrix.T) >= ALIKE
    for a, b in zip(*np.nonzero(np.triu(alike, 1)), strict=True):
        yield found[a][0], found[b][0], "rises and falls with"
