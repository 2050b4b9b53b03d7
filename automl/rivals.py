"""How the trials of a study compare: the same curve of each, from its out-of-fold predictions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flowml.automl.blend import Blend
from flowml.automl.curves import error_curve, precision_recall, roc
from flowml.automl.metrics import Array
from flowml.automl.outcome import load_oof, trial_folder
from flowml.automl.prepared import Prepared
from flowml.storage.records import Json, Task, TrialRecord

MOST = 12  # trials, besides the champion
BEST = 8  # of them the best ones, whatever their algorithm
CELLS = 200_000  # predictions that one curve is drawn from
POINTS = 60


def rivals(
    prepared: Prepared, work: Path, blend: Blend, best_first: Sequence[TrialRecord], deadline: float
) -> list[Json] | None:
    """Of the champion (trial None), of the best trials and of the best one of each other algorithm.

    Classification: {trial, roc {x, y, area}, precision_recall {x, y, area}}; of more than two classes all are
    pooled, each against the rest. Regression: {trial, errors {x, y}}. None where there was no time for two.
    """
    found = [_of(prepared, None, blend.oof)]
    for record in _chosen(best_first):
        if time.monotonic() > deadline:
            break
        oof = load_oof(trial_folder(work, record.number))
        if oof is not None:
            found.append(_of(prepared, record.number, oof))
    return found if len(found) > 1 else None


def _chosen(best_first: Sequence[TrialRecord]) -> list[TrialRecord]:
    chosen, seen = list(best_first[:BEST]), {record.algorithm for record in best_first[:BEST]}
    for record in best_first[BEST:]:
        if record.algorithm not in seen and len(chosen) < MOST:
            seen.add(record.algorithm)
            chosen.append(record)
    return chosen


def _of(prepared: Prepared, trial: int | None, oof: Array) -> Json:
    y, _ = prepared.checked
    known = np.flatnonzero(np.isfinite(oof).reshape(len(oof), -1).all(axis=1))
    columns = oof.shape[1] if oof.ndim > 1 else 1
    rows = known[:: max(1, -(-len(known) * columns // CELLS))]
    if prepared.problem.task is Task.REGRESSION:
        return {"trial": trial, "errors": error_curve(y[rows] - oof[rows].ravel(), POINTS)}
    if columns == 2:
        truth, share = y[rows] == 1, oof[rows, 1]
    else:
        truth, share = (y[rows, None] == np.arange(columns)).ravel(), oof[rows].ravel()
    return {
        "trial": trial,
        "roc": roc(truth, share, POINTS),
        "precision_recall": precision_recall(truth, share, POINTS),
    }
