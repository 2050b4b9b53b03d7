"""The target itself: classes too small to learn, and classes that are rare."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from flowml.storage import mending
from flowml.storage.check.table import Table
from flowml.storage.records import Finding, Severity, Task

LEAST_ROWS = 10  # of a class: two for each of five folds
RARE, VERY_RARE = 0.1, 0.01  # share of the smaller of two classes
ALL_BUT = 0.95  # share of the largest of many classes
SHOWN = 5


def find_tiny_classes(table: Table) -> Iterator[Finding]:
    counts = _counts(table)
    tiny = {name: count for name, count in counts.items() if count < LEAST_ROWS}
    if not tiny:
        return
    names = ", ".join(f"{name!r} ({count})" for name, count in list(tiny.items())[:SHOWN])
    more = f" and {len(tiny) - SHOWN} more" if len(tiny) > SHOWN else ""
    keeps = len(counts) - len(tiny) >= 2
    column = table.schema.column(table.spec.target)
    words = column is not None and column.type == "string"
    gone = [mending.text(name) if words else name for name in tiny]
    yield Finding(
        "tiny_class",
        Severity.WARNING,
        f"Classes with fewer than {LEAST_ROWS} rows: {names}{more}. They can be neither learned nor checked.",
        table.spec.target,
        "Bring more rows of them, join them with others, or leave their rows out.",
        {"classes": tiny},
        {"query": mending.rows_without(table.spec.target, gone)} if keeps else {},
    )


def find_imbalance(table: Table) -> Iterator[Finding]:
    counts = _counts(table)
    total = sum(counts.values())
    if len(counts) < 2:
        return
    smallest, largest = min(counts.values()) / total, max(counts.values()) / total
    if len(counts) == 2 and smallest < RARE:
        metric, shown = "average_precision", f"{smallest:.1%} of the rows are of the smaller class"
    elif len(counts) > 2 and largest > ALL_BUT:
        metric, shown = "f1_macro", f"{largest:.1%} of the rows are of one class"
    else:
        return
    yield Finding(
        "imbalance",
        Severity.WARNING if min(smallest, 1 - largest) < VERY_RARE else Severity.NOTE,
        f"{shown}: a model that never names the others looks accurate.",
        table.spec.target,
        "Judge by a metric that looks at the rare class.",
        {"smallest": round(smallest, 6), "largest": round(largest, 6)},
        {"metric": metric} if table.spec.metric == "auto" else {},
    )


def _counts(table: Table) -> dict[str, int]:
    """How many of all rows each class has, smallest first; empty for a number to predict."""
    if table.goal is None or table.goal.task is Task.REGRESSION:
        return {}
    column = table.whole(table.spec.target).drop_nulls()
    counted = (
        column.group_by(pl.nth(0).cast(pl.String)).len("count").sort("count").collect(engine="streaming")
    )
    return {str(name): int(count) for name, count in counted.iter_rows()}
