"""Columns that know the target: copies of it, what was computed from it, and what alone predicts too well."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from flowml.storage.association import pearson, ranks
from flowml.storage.check.table import Table
from flowml.storage.coded import MISSING, Coded, Codes, Floats
from flowml.storage.goal import Goal, power, unknown
from flowml.storage.records import Finding, Role, Severity, Task

TOO_WELL = 0.97  # of what there is to know; an AUC of 0.985
SURE = 0.995
WELL, TOWERS = 0.85, 0.5  # good, while no other column has more than half of it
FEW_ROWS = 50  # with fewer, a good column is a lucky one
MONOTONE = 0.9999
KNOWN_SHARE = 0.05  # of the rows must have a value, for it to be said that it follows the target
APART = 5  # rows outside the largest block, for blocks in the order of the target to be no chance
ADVICE = "Leave the column out unless it is known before the target is."


def find_copies(table: Table) -> Iterator[Finding]:
    """Columns that follow from the target."""
    for column, goal in _columns(table):
        how = _copied(column, goal)
        if how:
            yield Finding(
                "target_copy",
                Severity.ERROR,
                f"{column.name!r} {how} the target {goal.name!r}: it seems to be made from it.",
                column.name,
                "Leave the column out: it will not be there for new rows.",
                {"rows": int(column.known.sum())},
                {"roles": {column.name: Role.IGNORED.value}},
            )


def find_leaks(table: Table) -> Iterator[Finding]:
    """Columns that alone predict the target too well, or well and far better than all others."""
    measured = [(column, goal, *power(column, goal)) for column, goal in _columns(table)]
    ordinary = sorted((alone for *_, alone, _ in measured if alone < TOO_WELL), reverse=True)
    best, next_ = [*ordinary, 0.0, 0.0][:2]
    towering = best if best >= WELL and next_ <= TOWERS * best else TOO_WELL
    for column, goal, alone, auc in measured:
        if alone >= towering:
            yield _leak(column, goal, alone, auc)


def _leak(column: Coded, goal: Goal, alone: float, auc: float | None) -> Finding:
    by_gaps = power(unknown(column), goal)[0] >= WELL
    what = "whether it has a value" if by_gaps else "its value"
    severity = Severity.ERROR if alone >= SURE else Severity.WARNING if alone >= TOO_WELL else Severity.NOTE
    return Finding(
        "leakage",
        severity,
        f"{column.name!r} alone predicts {goal.name!r} {_how_well(alone, auc, goal)}: {what} may be "
        "known only after the target.",
        column.name,
        ADVICE,
        {"power": round(alone, 4), "auc": None if auc is None else round(auc, 4)},
        {"roles": {column.name: Role.IGNORED.value}},
    )


def _columns(table: Table) -> Iterator[tuple[Coded, Goal]]:
    goal = table.goal
    if goal is None or goal.rows < FEW_ROWS:
        return
    for feature in table.features:
        column = table.coded(feature.name)
        if column is not None and column.size > 2 - bool((column.codes == MISSING).any()):
            yield column, goal


def _how_well(alone: float, auc: float | None, goal: Goal) -> str:
    if auc is not None:
        return f"with an AUC of {auc:.3f}"
    if goal.task is Task.REGRESSION:
        return f"to {alone:.1%} of its spread"
    return f"with {alone:.1%} fewer errors than guessing"


# --- copies -----------------------------------------------------------------------------------------------


def _copied(column: Coded, goal: Goal) -> str | None:
    """How the column follows from the target, in words; None if it does not."""
    if column.known.sum() < max(FEW_ROWS, KNOWN_SHARE * goal.rows):
        return None
    if goal.ranks is None:
        return "names the classes of" if _renames(column, goal) else None
    return _follows(column, goal)


def _renames(column: Coded, goal: Goal) -> bool:
    """Each value stands for one class and each class has one value."""
    codes, classes = column.codes[column.known], goal.codes[column.known]
    kinds = len(np.unique(codes))
    if kinds != len(goal.classes):
        return False
    return len(np.unique(codes * len(goal.classes) + classes)) == kinds


def _follows(column: Coded, goal: Goal) -> str | None:
    assert goal.ranks is not None
    assert goal.coded.numbers is not None
    if column.numbers is not None:
        known = np.isfinite(column.numbers)
        values, target = column.numbers[known], goal.coded.numbers[known]
        if len(np.unique(values)) > APART:
            if abs(pearson(values, target)) >= MONOTONE and _spread_out(values):
                return "is a linear function of"
            if abs(pearson(ranks(values), ranks(target))) >= MONOTONE:
                return "rises and falls with"
    return "says in which range lies" if _in_blocks(column.codes, goal.coded.numbers) else None


def _spread_out(values: Floats) -> bool:
    """Whether the correlation rests on more than a few far values."""
    low, high = np.quantile(values, (0.05, 0.95))
    return bool(high - low > 0.01 * (values.max() - values.min()))


def _in_blocks(codes: Codes, target: Floats) -> bool:
    """Whether rows in the order of the target come value after value of the column, none of them twice."""
    order = np.lexsort((codes, target))
    ordered = codes[order]
    kinds, counts = np.unique(ordered, return_counts=True)
    if not 2 <= len(kinds) <= len(codes) // 10 or len(codes) - counts.max() < APART:
        return False
    return int((np.diff(ordered) != 0).sum()) + 1 == len(kinds)
