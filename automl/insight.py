"""What the champion looks at: permutation importance on rows that its models had not seen.

Each fold is asked about its own validation rows with its own models, put together as the champion is; the
means over folds are shown, with their spread. Folds are taken one after another while there is time.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from flowml.automl.blend import Blend
from flowml.automl.contract import Feeds, take
from flowml.automl.explain import permutation_importance
from flowml.automl.export import members_of
from flowml.automl.metrics import Array
from flowml.automl.onnx.champion import build
from flowml.automl.prepared import Prepared
from flowml.automl.serve import Predictor
from flowml.automl.threshold import decided
from flowml.storage.records import Importance

MOST_ROWS = 2_000  # of a fold
REPEATS = 3


def importances_of(prepared: Prepared, work: Path, blend: Blend, deadline: float) -> tuple[Importance, ...]:
    """Columns by how much the score falls when they are shuffled, most important first; () without time."""
    found: dict[str, list[Importance]] = defaultdict(list)
    folds = len(prepared.folds.pairs)
    took = 0.0
    for fold in range(folds):
        began = time.monotonic()
        if began + took > deadline:
            break
        for one in _of_fold(prepared, work, blend, fold, deadline):
            found[one.column].append(one)
        took = time.monotonic() - began
    names = {column.feed: column.name for column in prepared.contract.columns}
    merged = [_merged(names[feed], each) for feed, each in found.items()]
    return tuple(sorted(merged, key=lambda one: -one.mean))


def _of_fold(
    prepared: Prepared, work: Path, blend: Blend, fold: int, deadline: float
) -> tuple[Importance, ...]:
    problem = prepared.problem
    members = members_of(prepared, work, blend, (fold,))
    content = build(prepared.contract, members, steps=blend.steps, stack=blend.stack)
    valid = prepared.folds.pairs[fold][1]
    chosen = np.sort(np.random.default_rng(problem.seed).permutation(valid)[:MOST_ROWS])
    predictor = Predictor(content)

    def answers(feeds: Feeds) -> Array:
        scores: Array = predictor.scores(feeds)
        return scores if blend.threshold is None else decided(scores, blend.threshold)

    return permutation_importance(
        answers,
        take(prepared.feeds, chosen),
        problem.y[chosen],
        problem.metric,
        repeats=REPEATS,
        seed=problem.seed + fold,
        deadline=deadline,
    )


def _merged(column: str, each: list[Importance]) -> Importance:
    """The mean over folds; the spread over folds, or over repeats if there is one fold."""
    means = [one.mean for one in each]
    spread = float(np.std(means)) if len(means) > 1 else each[0].std
    return Importance(column, float(np.mean(means)), spread)
