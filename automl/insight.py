"""What the champion looks at and how it answers, on rows that its models had not seen.

Each fold is asked about its own validation rows with its own part of the champion, which is built once and
serves all that follows. The most wanted comes first; what there is no time for is left out, and said.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from flowml.automl.blend import Blend
from flowml.automl.contract import Feeds, take
from flowml.automl.dependence import Part, dependence, sampled
from flowml.automl.explain import baseline, diagnostics, permutation_importance, rounded
from flowml.automl.export import members_of
from flowml.automl.learning import learning_curve
from flowml.automl.metrics import Array
from flowml.automl.onnx.champion import build
from flowml.automl.parts import parts_of
from flowml.automl.prepared import Prepared
from flowml.automl.rivals import rivals
from flowml.automl.serve import Predictor
from flowml.automl.shap import shap_values
from flowml.automl.threshold import decided
from flowml.storage.records import Importance, Json, TrialRecord

MOST_ROWS = 2_000  # of a fold, for importances
REPEATS = 3
MOST_COLUMNS = 8  # whose dependence is shown
DEPENDENCE_ROWS = 200  # of all folds together
NO_TIME = "no time was left"


@dataclass(frozen=True)
class Insight:
    """`diagnostics` has what `explain.diagnostics` gives, and these where they could be told:

    baseline (`explain.baseline`), dependence (a list of what `dependence.dependence` gives, most important
    column first), rivals (`rivals.rivals`), parts (`parts.parts_of`), shap (`shap.shap_values`),
    learning_curve (`learning.learning_curve`).
    """

    importances: tuple[Importance, ...]
    diagnostics: Json
    cut: tuple[str, ...] = ()  # what was left out, and why


def insight_of(
    prepared: Prepared, work: Path, blend: Blend, best_first: Sequence[TrialRecord], deadline: float
) -> Insight:
    """All that is told of a champion until time.monotonic() passes `deadline`."""
    asked = _Asked(_Folds(prepared, work, blend), best_first)
    told: dict[str, Any] = {}
    cut = []
    for name, (share, step) in STEPS.items():
        left, why = deadline - time.monotonic(), NO_TIME
        if left > 0:
            try:
                told[name] = step(asked, time.monotonic() + share * left)
            except Exception as error:  # a champion that is not explained is better than none
                why = f"{type(error).__name__}: {error}"
        if told.get(name) is None:
            cut.append(f"{NAMES.get(name, name)}: {why}")
    found = _counted(prepared, blend, best_first)
    found |= {name: part for name, part in told.items() if part and name != "importances"}
    return Insight(tuple(told.get("importances") or ()), rounded(found), tuple(cut))


def counted(prepared: Prepared, blend: Blend, best_first: Sequence[TrialRecord]) -> Insight:
    """What can be told at once, from predictions that are there: no model is asked for anything."""
    cut = f"explanations: {NO_TIME}"
    try:
        return Insight((), rounded(_counted(prepared, blend, best_first)), (cut,))
    except Exception as error:  # a champion that nothing is told of is better than none
        return Insight((), {}, (cut, f"diagnostics: {type(error).__name__}: {error}"))


def _counted(prepared: Prepared, blend: Blend, best_first: Sequence[TrialRecord]) -> Json:
    found = diagnostics(prepared.problem, blend.oof, prepared.folds.rows, blend.threshold)
    return found | {"baseline": baseline(blend.oof, best_first)}


# --- folds ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fold:
    """The part of the champion that one fold made, and some rows that it had not seen."""

    index: int
    feeds: Feeds
    y: Array
    predictor: Predictor
    threshold: float | None

    def scores(self, feeds: Feeds) -> Array:
        """Probabilities or values."""
        found: Array = self.predictor.scores(feeds)
        return found

    def answers(self, feeds: Feeds) -> Array:
        """What the metric looks at."""
        found = self.scores(feeds)
        return found if self.threshold is None else decided(found, self.threshold)


@dataclass
class _Folds:
    prepared: Prepared
    work: Path
    blend: Blend
    opened: list[_Fold] = field(default_factory=list)

    def within(self, deadline: float) -> Iterator[_Fold]:
        """One after another, as long as the next is likely to be done in time."""
        took = 0.0
        for index in range(len(self.prepared.folds.pairs)):
            began = time.monotonic()
            if began + took > deadline:
                return
            if index == len(self.opened):
                self.opened.append(self._open(index))
            yield self.opened[index]
            took = time.monotonic() - began

    def _open(self, index: int) -> _Fold:
        prepared, blend = self.prepared, self.blend
        members = members_of(prepared, self.work, blend, (index,))
        content = build(prepared.contract, members, steps=blend.steps, stack=blend.stack)
        valid = prepared.folds.pairs[index][1]
        rows = np.sort(np.random.default_rng(prepared.problem.seed).permutation(valid)[:MOST_ROWS])
        feeds, y = take(prepared.feeds, rows), prepared.problem.y[rows]
        return _Fold(index, feeds, y, Predictor(content), blend.threshold)


# --- steps ------------------------------------------------------------------------------------------------


@dataclass
class _Asked:
    folds: _Folds
    best_first: Sequence[TrialRecord]
    importances: tuple[Importance, ...] = ()


def _importances(asked: _Asked, deadline: float) -> tuple[Importance, ...] | None:
    """Columns by how much the score falls when they are shuffled: the mean over folds."""
    problem, contract = asked.folds.prepared.problem, asked.folds.prepared.contract
    found: dict[str, list[Importance]] = defaultdict(list)
    for fold in asked.folds.within(deadline):
        told = permutation_importance(
            fold.answers,
            fold.feeds,
            fold.y,
            problem.metric,
            repeats=REPEATS,
            seed=problem.seed + fold.index,
            deadline=deadline,
        )
        for one in told:
            found[one.column].append(one)
    names = {column.feed: column.name for column in contract.columns}
    merged = [_merged(names[feed], each) for feed, each in found.items()]
    asked.importances = tuple(sorted(merged, key=lambda one: -one.mean))
    return asked.importances or None


def _merged(column: str, each: list[Importance]) -> Importance:
    """The spread is that over folds, or over repeats if there is one fold."""
    means = [one.mean for one in each]
    spread = float(np.std(means)) if len(means) > 1 else each[0].std
    return Importance(column, float(np.mean(means)), spread)


def _dependence(asked: _Asked, deadline: float) -> list[Json] | None:
    """Of the most important columns, as many as there is time for."""
    contract, folds = asked.folds.prepared.contract, list(asked.folds.opened)
    if not folds:
        return None
    parts = [
        Part(fold.scores, take(fold.feeds, sampled(fold.feeds, -(-DEPENDENCE_ROWS // len(folds)))))
        for fold in folds
    ]
    found: list[Json] = []
    took = 0.0
    for importance in asked.importances:
        began = time.monotonic()
        if len(found) == MOST_COLUMNS or began + took > deadline:
            break
        column = contract.column(importance.column)
        told = dependence(contract, column, parts) if column else None
        found += [told] if told else []
        took = time.monotonic() - began
    return found


def _rivals(asked: _Asked, deadline: float) -> list[Json] | None:
    return rivals(asked.folds.prepared, asked.folds.work, asked.folds.blend, asked.best_first, deadline)


def _parts(asked: _Asked, deadline: float) -> Json | None:
    return parts_of(asked.folds.prepared, asked.folds.blend, asked.importances, deadline)


def _shap(asked: _Asked, deadline: float) -> Json | None:
    return shap_values(asked.folds.prepared, asked.folds.work, asked.folds.blend, deadline)


def _learning_curve(asked: _Asked, deadline: float) -> Json | None:
    return learning_curve(asked.folds.prepared, asked.best_first[0], deadline)


# The share of the time left, and what is told.
STEPS: dict[str, tuple[float, Callable[[_Asked, float], Any]]] = {
    "importances": (0.5, _importances),
    "parts": (0.2, _parts),
    "rivals": (0.3, _rivals),
    "dependence": (0.5, _dependence),
    "shap": (0.4, _shap),
    "learning_curve": (0.9, _learning_curve),
}
NAMES = {"shap": "SHAP values", "learning_curve": "learning curve"}  # in words, where they differ
