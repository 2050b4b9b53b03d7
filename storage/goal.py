"""A target as measures need it, and what single columns tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from flowml.storage import association, tree
from flowml.storage.coded import MISSING, Coded, Codes, Floats, encode
from flowml.storage.records import TargetAssociation, Task

FEW_NUMBERS = 12  # whole numbers with no more values than this are classes,
PROMISING = 0.8  # from what power on a tree may find more
LEAF_PRIOR = 0.1  # rows that the overall mean counts for in each leaf
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
    """What the column alone predicts on rows not looked at, 0 to 1, and for two classes its AUC.

    Kinds and bins are looked at first; a number that already tells much gets a tree of its own.
    """
    found = _by_codes(column, goal)
    if column.numbers is not None and PROMISING <= found[0] < 1:
        found = max(found, _by_tree(column, goal), key=lambda each: each[0])
    return found


def _by_codes(column: Coded, goal: Goal) -> tuple[float, float | None]:
    assert goal.folds is not None
    if goal.ranks is None:
        shares = association.out_of_fold_shares(column.codes, goal.codes, len(goal.classes), goal.folds)
        return _of_shares(shares, goal)
    found = []
    for values in _scales(goal):
        found.append(
            association.explained(values, association.out_of_fold_means(column.codes, values, goal.folds))
        )
    return max(found), None


def _by_tree(column: Coded, goal: Goal) -> tuple[float, float | None]:
    if goal.ranks is None:
        return _of_shares(_grown(column, goal, np.eye(len(goal.classes))[goal.codes]), goal)
    found = [association.explained(v, _grown(column, goal, v[:, None])[:, 0]) for v in _scales(goal)]
    return max(found), None


def _of_shares(shares: Floats, goal: Goal) -> tuple[float, float | None]:
    if goal.task is not Task.BINARY:
        return association.saved_errors(shares, goal.codes), None
    found = association.auc(shares[:, 1], goal.codes == 1)
    return max(0.0, 2 * found - 1), found


def _scales(goal: Goal) -> tuple[Floats, ...]:
    """A number to predict as it is, and its ranks, which no far value rules."""
    assert goal.ranks is not None
    assert goal.coded.numbers is not None
    return goal.coded.numbers, goal.ranks


def _grown(column: Coded, goal: Goal, targets: Floats) -> Floats:
    """The prediction of each row by a tree that was grown on the other folds."""
    assert goal.folds is not None
    assert column.numbers is not None
    found = np.zeros_like(targets)
    for fold in range(association.FOLDS):
        train, held = goal.folds != fold, goal.folds == fold
        known = train & column.known
        cuts = tree.thresholds(column.numbers[known], targets[known])
        leaves: Codes = np.where(column.known, 1 + np.searchsorted(cuts, column.numbers, side="right"), 0)
        sums = np.zeros((len(cuts) + 2, targets.shape[1]))
        np.add.at(sums, leaves[train], targets[train])
        counts = np.bincount(leaves[train], minlength=len(cuts) + 2)[:, None]
        means = (sums + LEAF_PRIOR * targets[train].mean(0)) / (counts + LEAF_PRIOR)
        found[held] = means[leaves[held]]
    return found


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
