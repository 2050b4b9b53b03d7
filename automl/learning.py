"""The learning curve of the leader: how its score rises with the rows that it learns from.

Each point is the same algorithm with the same params on a sample of the rows of a fold, checked on the rows
that the fold is always checked on. Samples are nested. Encodings are those of all rows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from flowml.automl.evaluate import Limits, again, evaluate
from flowml.automl.leaderboard import name_of
from flowml.automl.prepared import Prepared
from flowml.storage.records import Json, TrialRecord, TrialState

SHARES = (0.05, 0.1, 0.2, 0.4, 0.7)
FEWEST_ROWS = 20
SLOWER = 1.3  # than in proportion to the rows
OVERHEAD_S = 0.05  # of one fit beside the rows


def learning_curve(prepared: Prepared, record: TrialRecord, deadline: float) -> Json | None:
    """{trial, name, metric, folds, points [{share, rows, score, std}]}, by rows; None without time for it.

    A score is the mean over the first `folds` folds; the last point is the trial itself.
    """
    whole = record.rows or min(len(train) for train, _ in prepared.folds.pairs)
    shares = [s for s in SHARES if s * whole >= max(FEWEST_ROWS, 2 * len(prepared.problem.classes))]
    shares, folds = _affordable(record, shares, deadline - time.monotonic())
    points = []
    for share in shares:
        scores = _scores(prepared, record, round(share * whole), folds, deadline)
        if len(scores) == folds:
            points.append(_point(share, round(share * whole), scores))
    if not points:
        return None
    points.append(_point(1.0, whole, record.fold_scores[:folds]))
    return {
        "trial": record.number,
        "name": name_of(record),
        "metric": record.metric,
        "folds": folds,
        "points": points,
    }


def _affordable(record: TrialRecord, shares: Sequence[float], left_s: float) -> tuple[list[float], int]:
    """The shares that can be fitted in time, smallest first, and on how many folds."""
    fold_s = record.fit_seconds / max(1, len(record.fold_scores))
    kept: list[float] = []
    for share in shares:
        if _seconds(fold_s, [*kept, share]) > left_s:
            break
        kept.append(share)
    if not kept:
        return [], 0
    return kept, min(len(record.fold_scores), int(left_s / _seconds(fold_s, kept)))


def _seconds(fold_s: float, shares: Sequence[float]) -> float:
    return SLOWER * fold_s * sum(shares) + OVERHEAD_S * len(shares)


def _scores(
    prepared: Prepared, record: TrialRecord, rows: int, folds: int, deadline: float
) -> tuple[float, ...]:
    """Of the first folds; fewer if they failed or the time ended them early."""
    candidate = replace(again(record), rounds=(), rows=rows, folds=folds)
    left_s = (deadline - time.monotonic()) * len(prepared.folds.pairs) / folds
    if left_s <= 0:
        return ()
    found = evaluate(prepared, candidate, Limits(left_s, record.threads)).record
    return () if found.cut or found.state is TrialState.FAILED else found.fold_scores


def _point(share: float, rows: int, scores: Sequence[float]) -> Json:
    return {"share": share, "rows": rows, "score": float(np.mean(scores)), "std": float(np.std(scores))}
