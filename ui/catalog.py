"""The choices that the screens offer, by the words people know them by."""

from __future__ import annotations

from functools import cache

from flowml.runner import catalog
from flowml.storage.records import Task

ENSEMBLE = "ensemble"


@cache
def algorithms(task: Task | None = None) -> dict[str, str]:
    """Key -> label of those that serve the task, in the order of the table; all where no task is given."""
    return {row.key: row.label for row in catalog.algorithms() if task is None or task in row.tasks}


@cache
def metrics(task: Task | None = None) -> dict[str, str]:
    return {row.key: row.label for row in catalog.metrics() if task is None or task in row.tasks}


def metric(key: str) -> str:
    return metrics().get(key, key)


def algorithm(key: str) -> str:
    return "Ensemble" if key == ENSEMBLE else algorithms().get(key, key)
