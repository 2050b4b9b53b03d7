"""Folds: which rows each model learns from and which it is checked on. Fixed once per study.

A study has one `Folds`; its id is a hash of the row numbers, so that two scores are known to be comparable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flowml.automl.metrics import Array
from flowml.automl.problem import Problem, split_choice
from flowml.storage.errors import DataError, TooFewRows
from flowml.storage.records import JobSpec

Pairs = tuple[tuple[Array, Array], ...]

DEFAULT_FOLDS = 5
SMALL_ROWS, SMALL_COLUMNS = 600, 200  # up to here the folds are drawn twice
MAX_HOLDOUT = 30_000
ALWAYS_FOLDS_ROWS = 5_000
MANY_ROWS = 20_000  # beyond which each class is a burden: boosting fits a tree for every class
FIVE_FOLDS_BURDEN, THREE_FOLDS_BURDEN = 180_000, 300_000  # rows of 20 columns in a budget of a minute


@dataclass(frozen=True)
class Folds:
    """`rows` are the rows that some fold is checked on, in order; out-of-fold predictions are about them."""

    id: str
    kind: str
    reason: str
    pairs: Pairs  # (train rows, validation rows)
    rows: Array
    kept: tuple[int, ...]  # the folds whose models make up a champion

    @property
    def whole(self) -> int:
        """The number of a model that learned all rows, after those of the folds."""
        return len(self.pairs)

    def pair(self, index: int) -> tuple[Array, Array]:
        """The rows that a model learns from, and those that it is checked on."""
        if index < self.whole:
            return self.pairs[index]
        return np.union1d(*self.pairs[-1]), self.rows

    def gather(self, parts: Sequence[Array]) -> Array:
        """Out-of-fold predictions, one per entry of `rows`; the mean where a row was checked repeatedly."""
        total = np.zeros((int(self.rows[-1]) + 1, *parts[0].shape[1:]))
        seen = np.zeros(len(total))
        for (_, valid), part in zip(self.pairs, parts, strict=True):
            total[valid] += part
            seen[valid] += 1
        mean: Array = total[self.rows] / seen[self.rows].reshape(-1, *[1] * (total.ndim - 1))
        return mean


@dataclass(frozen=True)
class Splitter:
    key: str
    label: str
    split: Callable[[Problem, int, np.random.Generator], Pairs]
    only_last_kept: bool = False  # the last fold has seen every earlier one's rows


def split(problem: Problem, spec: JobSpec) -> Folds:
    """The folds that the job asks for, or that suit the table if it leaves the choice to us."""
    key, count, reason = _choose(problem, spec)
    splitter = SPLITTERS[key]
    if count > problem.rows:
        raise TooFewRows(
            f"{count} folds need {count} rows, the table has {problem.rows}.", "Ask for fewer folds."
        )
    pairs = splitter.split(problem, count, np.random.default_rng(spec.seed))
    _check_classes(problem, pairs)
    rows = np.unique(np.concatenate([valid for _, valid in pairs]))
    kept = (len(pairs) - 1,) if splitter.only_last_kept else tuple(range(len(pairs)))
    return Folds(_identity(pairs), key, reason, pairs, rows, kept)


def _choose(problem: Problem, spec: JobSpec) -> tuple[str, int, str]:
    kind, column = split_choice(spec)
    if kind == "time" or (kind == "auto" and problem.times is not None):
        return "time", spec.folds or DEFAULT_FOLDS, f"Later rows check what earlier ones taught, by {column}."
    if kind == "group" or (kind == "auto" and problem.groups is not None):
        return "group", spec.folds or DEFAULT_FOLDS, f"Rows of one {column or 'group'} stay together."
    if kind == "holdout":
        return "holdout", 2, "One part is held out, as asked."
    if spec.folds:
        return "kfold", spec.folds, f"{spec.folds} folds, as asked."
    return by_size(problem.rows, problem.frame.width, spec.budget_s, problem.outputs)


def by_size(rows: int, columns: int, budget_s: float, outputs: int = 1) -> tuple[str, int, str]:
    """More folds teach more from few rows, and what they cost must fit the budget.

    Measured at equal time, five folds beat three and these a holdout up to tables that hardly any algorithm
    gets through: the mean of five models makes up for fewer trials.
    """
    if rows <= SMALL_ROWS and columns <= SMALL_COLUMNS:
        return "repeated", min(DEFAULT_FOLDS, rows // 2), f"{rows} rows are few: folds are drawn twice."
    burden = rows * max(1.0, min(columns, 200) / 20) * 60 / max(budget_s, 1.0)
    if rows > MANY_ROWS and outputs > 2:
        burden *= outputs
    if burden <= FIVE_FOLDS_BURDEN or rows <= ALWAYS_FOLDS_ROWS:
        return "kfold", DEFAULT_FOLDS, f"{DEFAULT_FOLDS} folds for {rows:,} rows."
    if burden <= THREE_FOLDS_BURDEN:
        return "kfold", 3, f"3 folds, as {rows} rows are many for the budget."
    return "holdout", 2, f"One part is held out, as {rows} rows are many for the budget."


def _check_classes(problem: Problem, pairs: Pairs) -> None:
    for train, _ in pairs:
        if problem.classes and len(np.unique(problem.y[train])) < 2:
            raise DataError(
                f"A part to learn from ({len(train)} rows) holds a single class of {problem.target!r}.",
                "Use a random split, other groups, or fewer folds.",
            )


def _identity(pairs: Pairs) -> str:
    digest = hashlib.sha256()
    for train, valid in pairs:
        digest.update(np.ascontiguousarray(train, np.int64).tobytes())
        digest.update(b"|")
        digest.update(np.ascontiguousarray(valid, np.int64).tobytes())
    return digest.hexdigest()[:16]


# --- the ways to split ------------------------------------------------------------------------------------


def _deal(problem: Problem, folds: int, generator: np.random.Generator) -> Array:
    """The fold of each row. Rows are dealt out in the order of the target, which keeps its distribution."""
    shuffled = generator.permutation(problem.rows)
    order = shuffled[np.argsort(problem.y[shuffled], kind="stable")]
    dealt = np.empty(problem.rows, np.int64)
    rounds = -(-problem.rows // folds)
    cards = np.concatenate([generator.permutation(folds) for _ in range(rounds)])[: problem.rows]
    dealt[order] = cards if not problem.classes else np.arange(problem.rows) % folds
    return dealt


def _pairs_of(fold_of_row: Array, folds: int) -> Pairs:
    return tuple((np.flatnonzero(fold_of_row != k), np.flatnonzero(fold_of_row == k)) for k in range(folds))


def _kfold(problem: Problem, folds: int, generator: np.random.Generator) -> Pairs:
    return _pairs_of(_deal(problem, folds, generator), folds)


def _repeated(problem: Problem, folds: int, generator: np.random.Generator) -> Pairs:
    return _kfold(problem, folds, generator) + _kfold(problem, folds, generator)


def _holdout(problem: Problem, _: int, generator: np.random.Generator) -> Pairs:
    """A fifth, or MAX_HOLDOUT rows if that is less."""
    parts = max(5, -(-problem.rows // MAX_HOLDOUT))
    return _kfold(problem, min(parts, problem.rows), generator)[:1]


def _group(problem: Problem, folds: int, generator: np.random.Generator) -> Pairs:
    """Whole groups, the largest first, each to the fold that has the fewest rows so far."""
    assert problem.groups is not None
    names, codes, sizes = np.unique(problem.groups, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DataError("The group column has a single value.", "Choose a column with two groups or more.")
    folds = min(folds, len(names))
    shuffled = generator.permutation(len(names))
    filled, fold_of_group = np.zeros(folds), np.empty(len(names), np.int64)
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of_group[group] = np.argmin(filled)
        filled[fold_of_group[group]] += sizes[group]
    return _pairs_of(fold_of_group[codes], folds)


def _time(problem: Problem, folds: int, _: np.random.Generator) -> Pairs:
    """The older half teaches first, then block after block of the newer half; equal times stay together."""
    assert problem.times is not None
    order = np.argsort(problem.times, kind="stable")
    times = problem.times[order]
    wanted = np.linspace(problem.rows / 2, problem.rows, folds + 1)[:-1].astype(np.int64)
    starts = np.unique(np.searchsorted(times, times[wanted], side="left"))
    starts = starts[starts > 0]
    if not len(starts):
        raise DataError("Over half of the rows share the earliest time.", "Choose another time column.")
    ends = np.append(starts[1:], problem.rows)
    return tuple((np.sort(order[:a]), np.sort(order[a:b])) for a, b in zip(starts, ends, strict=True))


SPLITTERS: dict[str, Splitter] = {
    row.key: row
    for row in (
        Splitter("kfold", "K folds, dealt out by the target", _kfold),
        Splitter("repeated", "K folds, drawn twice", _repeated),
        Splitter("holdout", "One part held out", _holdout),
        Splitter("group", "Groups stay together", _group),
        Splitter("time", "Forward in time", _time, only_last_kept=True),
    )
}
