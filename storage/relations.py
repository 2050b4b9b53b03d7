"""Which columns of a table have to do with each other, and with a target."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from flowml.storage import association, sample
from flowml.storage.coded import Coded, encode
from flowml.storage.errors import BadTarget, UnknownColumn
from flowml.storage.goal import associations, goal_of
from flowml.storage.records import Association, Json, TargetAssociation

ROWS = 20_000
MOST_COLUMNS = 60  # each of them is held against each other
MOST_FOR_TARGET = 500
SHOWN = 200
WORTH = 0.1  # weaker ones are not told
NAMES_ROWS = 0.9  # of the rows, from which share on distinct words say nothing of other columns


def relations(drawn: pl.DataFrame) -> tuple[tuple[str, ...], tuple[Association, ...]]:
    """The columns that were looked at, and what they have to do with each other, strongest first."""
    columns = _encoded(sample.thin(drawn, ROWS), MOST_COLUMNS)
    found = []
    for a, b in itertools.combinations(columns, 2):
        measure, value = association.measure(a, b)
        if abs(value) >= WORTH:
            found.append(Association(a.name, b.name, measure, round(value, 4)))
    found.sort(key=lambda each: -abs(each.value))
    return tuple(column.name for column in columns), tuple(found[:SHOWN])


def with_target(path: Path, target: str, task: str = "auto") -> tuple[TargetAssociation, ...]:
    """What each column alone tells of a target, most telling first. Raises UnknownColumn, BadTarget."""
    names = pl.scan_parquet(path, glob=False).collect_schema().names()
    if target not in names:
        raise UnknownColumn(f"The table has no column {target!r}.", "Choose one of its columns.")
    others = [name for name in names if name != target][:MOST_FOR_TARGET]
    found = goal_of(sample.sample(path, [target, *others], ROWS), target, task)
    if found is None:
        raise BadTarget(f"{target!r} cannot be a target.", "Choose a column of numbers or of a few classes.")
    goal, frame = found
    return associations(_encoded(frame.drop(target), MOST_FOR_TARGET), goal)


def work(request: Json) -> Json:
    """{"path", "target", "task"} → {"columns": what each tells of the target}, for `apart`."""
    found = with_target(Path(request["path"]), request["target"], request["task"])
    return {"columns": [each.to_dict() for each in found]}


def _encoded(frame: pl.DataFrame, most: int) -> Sequence[Coded]:
    """Columns that may tell something: no constants, and no words that name single rows."""
    found: list[Coded] = []
    for column in frame.get_columns():
        coded = encode(column) if len(found) < most else None
        if coded is None or coded.size <= 2:
            continue
        if coded.numbers is None and column.n_unique() >= NAMES_ROWS * len(column):
            continue
        found.append(coded)
    return found
