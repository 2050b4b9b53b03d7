"""The algorithms and metrics that a user can name, as plain rows."""

from __future__ import annotations

from functools import cache

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.metrics import METRICS
from flowml.runner.specs import Choice, Choices
from flowml.storage.records import Task


@cache
def algorithms() -> tuple[Choice, ...]:
    """In the order of their table; `group` is the family."""
    return tuple(Choice(row.key, row.label, _ordered(row.tasks), row.family) for row in ALGORITHMS.values())


@cache
def metrics() -> tuple[Choice, ...]:
    """In the order of their table; `group` is the direction."""
    return tuple(Choice(row.key, row.label, _ordered(row.tasks), row.direction) for row in METRICS.values())


def choices() -> Choices:
    return Choices(algorithms(), metrics())


def _ordered(tasks: frozenset[Task]) -> tuple[Task, ...]:
    return tuple(task for task in Task if task in tasks)
