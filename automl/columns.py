"""Columns that nothing can be learned from: the same in nearly every row, or the same as another column."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

import polars as pl

from flowml.storage.records import Column, DatasetSchema

FEWEST_OTHERS = 3  # rows that must differ from the most frequent value,
OTHERS_SHARE = 5_000  # or one in so many where that is more,
ENOUGH_OTHERS = 20  # up to here
FEW_ROWS = 50  # too few to call a column near-constant


def useless(frame: pl.DataFrame, schema: DatasetSchema, names: Iterable[str]) -> dict[str, str]:
    """Those of the named columns that teach nothing, with the reason. `frame`: the rows to learn from."""
    reasons, kept = dict[str, str](), list[str]()
    for name in names:
        why = _barely_varies(frame[name])
        if why:
            reasons[name] = why
        else:
            kept.append(name)
    return reasons | _copies(frame, schema, kept)


# --- columns that hardly vary -----------------------------------------------------------------------------


def _barely_varies(column: pl.Series) -> str:
    """Why a column cannot tell rows apart; nothing if it can. Missing counts as a value."""
    rows = len(column)
    if not rows or column.dtype.is_nested() or column.n_unique() > ENOUGH_OTHERS + 1:
        return ""
    if column.null_count() == rows:
        return "no value in any row with a target"
    others = rows - int(column.value_counts()["count"].max() or 0)  # type: ignore[arg-type]
    if not others:
        return "one value in all rows with a target"
    needed = min(max(FEWEST_OTHERS, rows // OTHERS_SHARE), ENOUGH_OTHERS)
    return f"one value in all but {others} rows" if rows >= FEW_ROWS and others < needed else ""


# --- columns that say the same ----------------------------------------------------------------------------


def _copies(frame: pl.DataFrame, schema: DatasetSchema, names: list[str]) -> dict[str, str]:
    """Columns with the same values as an earlier one, or whose values name the same kinds in other words."""
    described = {column.name: column for column in schema.columns}
    traits = {name: _traits(frame[name], described.get(name)) for name in names}
    shared = Counter(traits.values())
    first, found = dict[tuple[str, bytes], str](), dict[str, str]()
    for name in (name for name in names if shared[traits[name]] > 1):
        how = traits[name][0]
        key = (how, _digest(frame[name], how))
        if key in first:
            found[name] = f"the same as {first[key]}"
        else:
            first[key] = name
    return found


def _traits(column: pl.Series, described: Column | None) -> tuple[Any, ...]:
    """What is known of a column that a copy has too; how the two are compared comes first.

    The order of numbers and moments means something, unless there are only two of them.
    """
    if described is None or column.dtype.is_nested():
        return "nothing", column.name
    ordered = column.dtype.is_numeric() or column.dtype.is_temporal()
    if ordered and column.n_unique() > 2 + (column.null_count() > 0):
        return "values", described.unique, described.missing, described.minimum, described.maximum
    return "kinds", described.unique, described.missing


def _digest(column: pl.Series, how: str) -> bytes:
    values = _kinds(column) if how == "kinds" else column.to_physical()
    if values.dtype.is_integer() and how == "values" and column.dtype.is_numeric():
        values = values.cast(pl.Float64)  # 1 and 1.0 are the same
    digest = hashlib.sha256(values.is_null().to_numpy().tobytes())
    digest.update(values.fill_null(0).to_numpy().tobytes())
    return digest.digest()


def _kinds(column: pl.Series) -> pl.Series:
    """Each value as a number, counted in the order in which values first occur, however they are spelled."""
    first = column.drop_nulls().unique(maintain_order=True)
    return column.replace_strict(first, range(len(first)), default=None, return_dtype=pl.Int64)
