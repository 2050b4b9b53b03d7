"""The members of a champion once more, of all rows.

Where a champion is made of the models of several folds, their mean makes up for the rows that each did not
see. A split that keeps the models of one fold alone leaves rows unused, in time the newest of all; a limit
of size leaves little to average where it has room for few. There each member learns all rows in the end, as
many rounds as it took on its folds. What it weighs and how sure it is stays as the checked rows told.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.algorithms.row import FitContext
from flowml.automl.blend import Blend
from flowml.automl.budget import refit_seconds
from flowml.automl.calibration import applied
from flowml.automl.evaluate import again, fit_fold, fold_table
from flowml.automl.fitted import Fitted
from flowml.automl.metrics import Array
from flowml.automl.onnx.steps import Step
from flowml.automl.outcome import has_whole, save_whole, trial_folder
from flowml.automl.prepared import Prepared
from flowml.storage.errors import TrialError
from flowml.storage.records import TrialRecord

WARY = 1.3  # times what it should take, that must be left to begin


def refit(prepared: Prepared, work: Path, blend: Blend, cores: int, end: float) -> dict[int, str]:
    """Fit the members of a blend on all rows until `end`, on the clock of time.monotonic.

    Those with the most weight for their time come first. Gives why a member keeps the model of its fold, by
    the number of its trial.
    """
    left_out: dict[int, str] = {}
    for record in _worthiest_first(blend, prepared, cores):
        if has_whole(folder := trial_folder(work, record.number)):
            continue
        left = end - time.monotonic()
        if why := _against(prepared, record, cores, left):
            left_out[record.number] = why
            continue
        try:
            save_whole(folder, *_fitted(prepared, record, cores, end))
        except Exception as error:  # libraries raise what they like, and the model of the fold is there
            left_out[record.number] = getattr(error, "message", f"{type(error).__name__}: {error}")
    return left_out


def _worthiest_first(blend: Blend, prepared: Prepared, cores: int) -> Sequence[TrialRecord]:
    pairs = zip(blend.members, blend.weights, strict=True)
    order = sorted(pairs, key=lambda pair: -pair[1] / _seconds(prepared, pair[0], cores))
    return [record for record, _ in order]


def _seconds(prepared: Prepared, record: TrialRecord, cores: int) -> float:
    return max(1e-3, refit_seconds(record, prepared.shape.whole_share, cores))


def _against(prepared: Prepared, record: TrialRecord, cores: int, left_s: float) -> str:
    if record.rows is not None and record.rows < prepared.shape.train_rows:
        return f"it learned a sample of {record.rows} rows"
    if record.cut:
        return "its time was cut"
    if not record.device.startswith("cpu"):
        return "it was fitted on a GPU"
    return "" if WARY * _seconds(prepared, record, cores) <= left_s else "there was no time"


def _fitted(prepared: Prepared, record: TrialRecord, cores: int, end: float) -> tuple[Fitted, Array]:
    """A model of all rows, and what it predicts for those that the folds were checked on."""
    algorithm, candidate, folds = ALGORITHMS[record.algorithm], again(record), prepared.folds
    rounds = [record.rounds[kept] for kept in folds.kept] if record.rounds else [0]
    fold = fold_table(prepared, algorithm.encoding_for(record.params), folds.whole)
    context = FitContext(
        threads=cores,
        seed=record.seed + folds.kept[-1],
        deadline=end,
        rounds=round(np.mean(rounds)) or None,
    )
    estimator = fit_fold(algorithm, fold, candidate, context)
    if estimator.cut:
        raise TrialError("there was no time", "A larger budget would do.")
    found = estimator.predict(fold.X_valid)
    if not np.isfinite(found).all():
        raise TrialError("it predicted values that are not numbers", "Other params may do better.")
    if record.temperature != 1.0:
        step = Step("temperature", {"temperature": record.temperature})
        found = applied(prepared.problem.task, found, step)
    return estimator.freeze(), found
