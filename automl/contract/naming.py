"""Columns found under the names that the model knows, where only blanks or nesting differ.

Tables are kept with names stripped of blanks and with the fields of records as columns of their own (`a.b`).
A caller may still have them as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import polars as pl

LONGEST = 200


def matched(given: Mapping[Any, Any], wanted: Set[str]) -> dict[str, Any]:
    """The same columns, those that are meant by a wanted name under it."""
    found = {str(name): values for name, values in given.items()}
    for name in list(found):
        plain = plain_name(name)
        if name not in wanted and plain in wanted and plain not in found:
            found[plain] = found.pop(name)
    for name in wanted - found.keys():
        outer, dot, field = name.partition(".")
        if dot and outer not in wanted and (values := _field(found.get(outer), field)) is not None:
            found[name] = values
    used = {name.partition(".")[0] for name in found if name in wanted and name not in given}
    return {name: values for name, values in found.items() if name in wanted or name not in used}


def plain_name(name: str) -> str:
    """As tables are kept: no blanks at the ends, single ones inside, not endless."""
    return " ".join(name.replace("\0", "").split())[:LONGEST]


def _field(values: Any, field: str) -> Any:
    """One field of records: of a series, of a list, or of one row; None if these are no records."""
    if isinstance(values, Mapping):
        return values.get(field)
    if isinstance(values, pl.Series) and isinstance(values.dtype, pl.Struct):
        names = [each.name for each in values.dtype.fields]
        return values.struct.field(field) if field in names else None
    if isinstance(values, list) and any(isinstance(cell, Mapping) for cell in values):
        return [cell.get(field) if isinstance(cell, Mapping) else None for cell in values]
    return None
