"""A target as measures need it, and what single columns tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from flowml.storage import association
from flowml.storage.coded import MISSING, Coded, Codes, Floats, encode
from flowml.storage.records import TargetAssociation, Task

FEW_NUMBERS = 12  # whole numbers with no more values than this are classes,
ROWS_PER_CLASS = 5  # if each stands for as many rows on average


@dataclass(frozen=True)
class Goal:
    """The target of the rows that have one. `codes` are classes from 0, or bins of a number."""

    name: str
    task: Task
    classes: tuple[str, ...]  # in the order of the codes; empty for regression
    codes: Codes
    coded: Coded
    ranks: Floats | None = None  # of the numbers to predict
    folds: Codes | None = None

    @property
    def rows(self) -> int:
        return len(self.codes)


def task_of(column: pl.Series, asked: str = "auto") -> Task | None:
    """The task that a target asks for; None where there is nothing to learn."""
    known = column.drop_nulls()
    kinds = known.n_unique()
    if kinds < 2 or column.dtype.is_nested() or column.dtype.is_temporal() or column.dtype == pl.Binary:
        return None
    if asked != "auto":
        fits = Task(asked) is not Task.REGRESSION or column.dtype.is_numeric()
        return Task(asked) if fits else None
    if kinds == 2:
        return Task.BINARY
    if not column.dtype.is_numeric():
        return Task.MULTICLASS if kinds <= len(known) / 2 else None
    whole = column.dtype.is_integer() or bool((known.floor() == known).all())
    few = whole and kinds <= FEW_NUMBERS and len(known) >= ROWS_PER_CLASS * kinds
    return Task.MULTICLASS if few else Task.REGRESSION


def goal_of(frame: pl.DataFrame, target: str, asked: str = "auto") -> tuple[Goal, pl.DataFrame] | None:
    """The target, and the rows that have one; None where it cannot be learned."""
    kept = frame.filter(frame[target].is_not_null())
    column = kept[target]
    task = task_of(column, asked)
    if task is None:
        return None
    folds = association.folds_of(kept.height)
    coded = encode(column, as_words=task is not Task.REGRESSION)
    if coded is None:
        return None
    if task is not Task.REGRESSION:
        return Goal(target, task, _classes(column, coded), coded.codes - 1, coded, folds=folds), kept
    assert coded.numbers is not None
    finite = np.isfinite(coded.numbers)
    if not finite.all():
        return goal_of(kept.filter(pl.Series(finite)), target, asked)
    return Goal(target, task, (), coded.codes - 1, coded, association.ranks(coded.numbers), folds), kept


def _classes(column: pl.Series, coded: Coded) -> tuple[str, ...]:
    names = [""] * (coded.size - 1)
    pairs = pl.DataFrame({"name": column.cast(pl.String, strict=False), "code": coded.codes}).unique()
    for name, code in pairs.iter_rows():
        names[code - 1] = name
    return tuple(names)


def power(column: Coded, goal: Goal) -> tuple[float, float | None]:
    """What the column alone predicts on rows not looked at, 0 to 1, and for two classes its AUC."""
    assert goal.folds is not None
    if goal.ranks is not None:
        return association.explained(
            goal.ranks, association.out_of_fold_means(column.codes, goal.ranks, goal.folds)
        ), None
    shares = association.out_of_fold_shares(column.codes, goal.codes, len(goal.classes), goal.folds)
    if goal.task is not Task.BINARY:
        return association.saved_errors(shares, goal.codes), None
    found = association.auc(shares[:, 1], goal.codes == 1)
    return max(0.0, 2 * found - 1), found


def associations(columns: Sequence[Coded], goal: Goal) -> tuple[TargetAssociation, ...]:
    """What each column alone tells of the target, most telling first."""
    found = []
    for column in columns:
        measure, value = association.measure(column, goal.coded)
        alone, auc = power(column, goal)
        information = association.mutual_information(column, _coarse(goal))
        found.append(
            TargetAssociation(
                column.name,
                measure,
                round(value, 4),
                round(information, 4),
                None if auc is None else round(auc, 4),
                round(alone, 4),
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.power, -each.mutual_information)))


def _coarse(goal: Goal) -> Codes:
    if goal.ranks is None:
        return goal.codes
    coarse: Codes = (goal.ranks * association.COARSE / max(1, goal.rows)).astype(np.int64)
    return coarse


def unknown(column: Coded) -> Coded:
    """Only whether a value is missing."""
    codes: Codes = np.where(column.codes == MISSING, 1, 2)
    return Coded(column.name, codes, 3)
