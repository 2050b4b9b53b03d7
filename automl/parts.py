"""The parts of a job's table that its champion is judged by, columns that it does not look at included."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from flowml.automl.blend import Blend
from flowml.automl.contract import Contract
from flowml.automl.fairness import gaps
from flowml.automl.grouping import Grouping, grouping
from flowml.automl.groups import Judged, by_group, measured, worst
from flowml.automl.metrics import Array
from flowml.automl.prepared import Prepared
from flowml.automl.problem import Feature
from flowml.automl.target import read_target
from flowml.storage.records import Importance, Json, Role, Task

MOST_ROWS = 50_000
MOST_COLUMNS = 16  # that the model looks at, the most important ones
MOST_OTHERS = 8  # that it does not look at


def parts_of(
    prepared: Prepared, blend: Blend, importances: Sequence[Importance], deadline: float
) -> Json | None:
    """{error, rows, whole, columns [{column, kind, used, groups, gaps}], worst}; None without time.

    error: what `groups` counts, in words. whole: `groups.measured` of all rows; groups: `groups.by_group`;
    gaps: `fairness.gaps`; worst: `groups.worst`. used: whether the model looks at the column.
    """
    judged, rows = _judged(prepared, blend)
    columns, groupings = [], []
    for groups, used in _groupings(prepared, importances, rows):
        if time.monotonic() > deadline:
            break
        told = by_group(judged, groups)
        groupings += [groups]
        columns.append(
            {"column": groups.column, "kind": groups.kind, "used": used, "groups": told,
             "gaps": gaps(judged.task, told)}
        )  # fmt: skip
    if not columns:
        return None
    error = "absolute error" if judged.task is Task.REGRESSION else "share of wrong answers"
    return {
        "error": error,
        "rows": len(rows),
        "whole": measured(judged),
        "columns": columns,
        "worst": worst(judged, groupings, deadline),
    }


def _judged(prepared: Prepared, blend: Blend) -> tuple[Judged, Array]:
    """And the rows of the prepared table that it is about."""
    problem, oof = prepared.problem, blend.oof
    known = np.flatnonzero(np.isfinite(oof).reshape(len(oof), -1).all(axis=1))
    known = known[:: max(1, -(-len(known) // MOST_ROWS))]
    rows = prepared.folds.rows[known]
    prediction = oof[known].ravel() if problem.task is Task.REGRESSION else oof[known]
    return Judged(problem.task, problem.metric, problem.y[rows], prediction, blend.threshold), rows


def _groupings(
    prepared: Prepared, importances: Sequence[Importance], rows: Array
) -> Iterator[tuple[Grouping, bool]]:
    contract = prepared.contract
    first = [one.column for one in importances]
    names = list(dict.fromkeys([*first, *(column.name for column in contract.columns)]))[:MOST_COLUMNS]
    for name in names:
        column = contract.column(name)
        found = grouping(column, prepared.feeds[column.feed][rows]) if column else None
        if found is not None:
            yield found, True
    for found in _others(prepared, rows):
        yield found, False


def _others(prepared: Prepared, rows: Array) -> Iterator[Grouping]:
    """By columns that were left out: a model may treat their groups differently all the same."""
    if prepared.table is None:
        return
    problem, spec = prepared.problem, prepared.spec
    left_out = [c for c in problem.schema.columns if prepared.contract.column(c.name) is None]
    skipped = (problem.target, *(c.name for c in left_out if c.role is Role.IDENTIFIER))
    plain = [c for c in left_out if c.name not in skipped and c.type in TYPES][: 4 * MOST_OTHERS]
    if not plain:
        return
    frame = pl.read_parquet(prepared.table, columns=[problem.target, *(c.name for c in plain)])
    kept = frame.filter(pl.Series(read_target(frame[problem.target], spec.task).keep))
    told = 0
    for column in plain:
        feature = Feature(column.name, TYPES[column.type], column.type, column.written)
        contract = Contract.learn(kept, [feature], task=problem.task)
        feeds, _ = contract.accept(kept.select(column.name))
        (learned,) = contract.columns
        found = grouping(learned, feeds[learned.feed][rows])
        if found is not None:
            told += 1
            yield found
        if told == MOST_OTHERS:
            return


TYPES = {
    "number": Role.NUMERIC,
    "integer": Role.NUMERIC,
    "boolean": Role.BOOLEAN,
    "string": Role.CATEGORICAL,
    "date": Role.DATETIME,
    "datetime": Role.DATETIME,
}
