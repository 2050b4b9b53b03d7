"""Cells of a table as JSON knows them."""

from __future__ import annotations

import math
from datetime import date, time


def plain(value: object) -> object:
    """Dates in ISO form, raw bytes by their number, None for what is no number."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | time):
        return value.isoformat()
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
