"""Which task a column asks for as a target, guessed from its statistics before any job has looked at it."""

from __future__ import annotations

from dataclasses import dataclass

from flowml.storage.records import Column, Task
from flowml.ui import words

MANY_CLASSES = 12  # whole numbers with more values than this are quantities
NUMBERS = frozenset({"number", "integer"})
WORDS: dict[Task, str] = {
    Task.BINARY: "Binary classification",
    Task.MULTICLASS: "Multiclass classification",
    Task.REGRESSION: "Regression",
}


@dataclass(frozen=True)
class Guess:
    task: Task | None  # None: it cannot be a target
    reason: str


def guess(column: Column, rows: int) -> Guess:
    known = rows - column.missing
    if column.unique < 2:
        return Guess(None, "Every row has the same value: there is nothing to learn.")
    if column.type in ("datetime", "date", "time", "duration", "list", "other"):
        return Guess(None, f"A column of type {column.type} cannot be predicted yet.")
    if column.unique == 2 or column.type == "boolean":
        return Guess(Task.BINARY, f"It has two values{_values(column)}.")
    if column.type in NUMBERS:
        few = column.unique <= MANY_CLASSES and known >= 5 * column.unique and _whole(column)
        if few:
            return Guess(Task.MULTICLASS, f"It has only {column.unique} different whole numbers.")
        return Guess(Task.REGRESSION, f"It holds {words.count(column.unique)} different numbers.")
    if column.unique > known / 2:
        return Guess(
            None,
            f"{words.count(column.unique)} different words in {words.count(known)} rows are too many.",
        )
    return Guess(Task.MULTICLASS, f"It has {words.count(column.unique)} different words.")


def likely_target(columns: tuple[Column, ...], rows: int) -> str | None:
    """The last column that can be a target, as most tables have it; None where none can."""
    fit = [c.name for c in columns if guess(c, rows).task is not None and c.role != "identifier"]
    return fit[-1] if fit else None


def _values(column: Column) -> str:
    return f": {' and '.join(words.short(v, 24) for v in column.top[:2])}" if len(column.top) >= 2 else ""


def _whole(column: Column) -> bool:
    return column.type == "integer" or all(
        float(value).is_integer() for value in column.top if _number(value)
    )


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
