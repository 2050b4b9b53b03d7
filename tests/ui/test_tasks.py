from __future__ import annotations

import pytest

from flowml.storage.records import Column, Role, Task
from flowml.ui import tasks

ROWS = 1000


def column(type: str, unique: int, top: tuple[str, ...] = (), missing: int = 0) -> Column:
    return Column("target", type, Role.CATEGORICAL, unique=unique, top=top, missing=missing)


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (column("string", 2, ("No", "Yes")), Task.BINARY),
        (column("boolean", 2), Task.BINARY),
        (column("integer", 2, ("0", "1")), Task.BINARY),
        (column("string", 3), Task.MULTICLASS),
        (column("integer", 5, ("1", "2")), Task.MULTICLASS),
        (column("number", 5, ("1.0", "2.0")), Task.MULTICLASS),
        (column("number", 5, ("1.5", "2.5")), Task.REGRESSION),
        (column("integer", 13), Task.REGRESSION),
        (column("number", 900), Task.REGRESSION),
        (column("integer", 12, missing=960), Task.REGRESSION),
        (column("string", 900), None),
        (column("string", 1), None),
        (column("datetime", 700), None),
    ],
)
def test_a_task_is_guessed_from_a_columns_statistics(target: Column, task: Task | None) -> None:
    guess = tasks.guess(target, ROWS)
    assert guess.task == task
    assert guess.reason.endswith(".")


def test_the_reason_names_the_values() -> None:
    assert tasks.guess(column("string", 2, ("No", "Yes")), ROWS).reason == "It has two values: No and Yes."


def test_every_task_has_a_word() -> None:
    assert set(tasks.WORDS) == set(Task)
