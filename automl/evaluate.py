"""One trial: an algorithm with params, fitted and checked on every fold. Gives a record, never a half answer.

A trial that fails is a record with its cause and advice. One whose time ends before every fold was checked
does not count as complete, so that each score in a leaderboard is about the same rows.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from flowml.automl.algorithms import ALGORITHMS, exportable
from flowml.automl.algorithms.links import LogTarget
from flowml.automl.algorithms.row import Algorithm, Estimator, FitContext, FoldTable
from flowml.automl.calibration import applied, temperature_step
from flowml.automl.candidate import Candidate
from flowml.automl.fitted import Fitted
from flowml.automl.growth import sample
from flowml.automl.metrics import Array, Weights
from flowml.automl.outcome import Outcome
from flowml.automl.prepared import Prepared
from flowml.automl.problem import Problem
from flowml.automl.threshold import best_threshold, decided, has_threshold
from flowml.storage.errors import FlowMLError, SpecError, TrialError, TrialTimeout
from flowml.storage.records import Task, TrialRecord, TrialState

PACKAGES = {"sklearn": "scikit-learn"}  # import name -> distribution, where they differ
PRUNE_SPREADS = 3.0  # a trial is given up when it is so many standard errors below the best
OWN_SHARE = 0.97  # of its time that a trial plans with, to be done before it is ended from outside
LEAST_FOLDS = 2  # checked before a trial may be pruned

OnFold = Callable[[int, float], None]


@dataclass(frozen=True)
class Limits:
    deadline_s: float  # from now, with what it takes to load a library
    threads: int = 1
    device: str = "cpu"


@dataclass
class _Work:
    """What the folds of one trial have given so far."""

    predictions: list[Array] = field(default_factory=list)
    fitted: list[Fitted] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    cut: bool = False
    fit_s: float = 0.0
    row_s: float = 0.0


class _Pruned(TrialError):
    code = "trial_pruned"


def evaluate(
    prepared: Prepared, candidate: Candidate, limits: Limits, on_fold: OnFold = lambda _fold, _score: None
) -> Outcome:
    """Fit and check on every fold within the limits; `on_fold` is told the score of each."""
    work = _Work()
    record = TrialRecord(
        number=candidate.number,
        algorithm=candidate.algorithm,
        params=candidate.params,
        state=TrialState.COMPLETE,
        stage=candidate.stage,
        seed=candidate.seed,
        metric=prepared.problem.metric,
        folds_id=prepared.folds.id,
        rows=candidate.rows,
        started_at=time.time(),
        threads=limits.threads,
        device=limits.device,
    )
    oof, began = None, time.monotonic()
    deadline = began + OWN_SHARE * min(limits.deadline_s, candidate.limit_s or limits.deadline_s)
    try:
        algorithm = _algorithm(candidate.algorithm)
        exportable.refuse(algorithm, candidate.params)
        importlib.import_module(algorithm.package)  # once in a process, and no part of what a trial takes
        began = time.monotonic()
        record = replace(record, versions=versions(algorithm))
        _all_folds(prepared, algorithm, candidate, limits, deadline, work, on_fold)
        if candidate.folds is not None:
            raise _Pruned(f"Only the first {candidate.folds} folds were asked for.")
        oof = prepared.folds.gather(work.predictions)
        oof, temperature = _calibrated(prepared.problem, prepared.checked, oof)
        score, spread = score_of(prepared, oof), float(np.std(work.scores))
        record = replace(record, score=score, score_std=spread, temperature=temperature)
    except _Pruned as error:
        record = replace(record, state=TrialState.PRUNED, cause=error.message)
    except Exception as error:  # a trial's edge: whatever a library raises makes one failed row
        cause, advice = _why(error)
        record = replace(record, state=TrialState.FAILED, cause=cause, advice=advice)
    record = replace(
        record,
        fold_scores=tuple(work.scores),
        seconds=time.monotonic() - began,
        fit_seconds=work.fit_s,
        predict_seconds=work.row_s,
        size_bytes=sum(len(one.content) for one in work.fitted),
        rounds=tuple(work.rounds),
        cut=work.cut,
    )
    return Outcome(record, oof, tuple(work.fitted) if oof is not None else ())


def again(record: TrialRecord) -> Candidate:
    """The candidate that gives the same fold scores as a record on the same machine and versions."""
    return Candidate(
        record.number,
        record.algorithm,
        record.params,
        record.stage,
        record.seed,
        rounds=record.rounds,
        folds=None if record.state is TrialState.COMPLETE else len(record.fold_scores),
        rows=record.rows,
    )


def score_of(prepared: Prepared, oof: Array) -> float:
    """Of out-of-fold predictions, by the metric of the problem."""
    y, weights = prepared.checked
    return _scored(prepared.problem, y, oof, weights)


def _calibrated(problem: Problem, checked: tuple[Array, Weights], prediction: Array) -> tuple[Array, float]:
    """Probabilities as sure as suits these rows, and the temperature that made them so."""
    step = temperature_step(problem.task, problem.metric, prediction, *checked, problem.seed)
    if step is None:
        return prediction, 1.0
    return applied(problem.task, prediction, step), float(step.params["temperature"])


def _scored(problem: Problem, y: Array, prediction: Array, weights: Weights) -> float:
    """By the metric; where that looks at two labels, with the threshold that suits these rows."""
    if has_threshold(problem.metric, prediction):
        prediction = decided(prediction, best_threshold(problem.metric, y, prediction, weights))
    return problem.measure.score(y, prediction, weights)


_version = functools.lru_cache(importlib.metadata.version)


def versions(algorithm: Algorithm) -> dict[str, str]:
    library = algorithm.package.partition(".")[0]
    names = (PACKAGES.get(library, library), "numpy")
    return {name: _version(name) for name in names}


# --- folds ------------------------------------------------------------------------------------------------


def _algorithm(key: str) -> Algorithm:
    if key not in ALGORITHMS:
        raise SpecError(f"Unknown algorithm {key!r}.", f"Known: {', '.join(ALGORITHMS)}.")
    return ALGORITHMS[key]


def _all_folds(
    prepared: Prepared,
    algorithm: Algorithm,
    candidate: Candidate,
    limits: Limits,
    deadline: float,
    work: _Work,
    told: OnFold,
) -> None:
    """`deadline` is on the clock of time.monotonic."""
    encoding = algorithm.encoding_for(candidate.params)
    count = len(prepared.folds.pairs)
    for index in range(count if candidate.folds is None else candidate.folds):
        left = deadline - time.monotonic()
        if left <= 0 and index:
            raise TrialTimeout(
                f"Its time was over after {index} of {count} folds.",
                "A larger budget, or fewer rows or folds, would let it finish.",
            )
        context = FitContext(
            threads=limits.threads,
            seed=candidate.seed + index,
            deadline=time.monotonic() + left / (count - index),
            device=limits.device,
            rounds=candidate.rounds[index] or None if candidate.rounds else None,
        )
        fold = fold_table(prepared, encoding, index, candidate.rows)
        _one_fold(prepared, algorithm, candidate, fold, context, work)
        told(index, work.scores[-1])
        _prune(prepared, candidate, work)


def fold_table(prepared: Prepared, encoding: str, index: int, rows: int | None = None) -> FoldTable:
    """One fold; with `rows`, of a sample of the rows to learn from."""
    problem = prepared.problem
    X, X_valid = prepared.fold(encoding, index)
    train, valid = prepared.folds.pair(index)
    if rows is not None and rows < len(train):
        chosen = sample(problem.y[train], len(problem.classes), rows, problem.seed + index)
        X, train = X[chosen], train[chosen]
    weights = problem.weights
    return FoldTable(
        X=X,
        y=problem.y[train],
        weights=None if weights is None else weights[train],
        X_valid=X_valid,
        y_valid=problem.y[valid],
        weights_valid=None if weights is None else weights[valid],
        task=problem.task,
        outputs=problem.outputs,
        metric=problem.metric,
        categorical=prepared.encoding(encoding, index).categorical,
    )


def _one_fold(
    prepared: Prepared,
    algorithm: Algorithm,
    candidate: Candidate,
    fold: FoldTable,
    context: FitContext,
    work: _Work,
) -> None:
    began = time.monotonic()
    estimator = fit_fold(algorithm, fold, candidate, context)
    work.fit_s += time.monotonic() - began
    prediction = estimator.predict(fold.X_valid)
    if not np.isfinite(prediction).all():
        raise TrialError("It predicted values that are not numbers.", "Other params may do better.")
    began = time.monotonic()
    estimator.predict(fold.X_valid[:1])
    work.row_s += time.monotonic() - began
    work.predictions.append(prediction)
    work.fitted.append(estimator.freeze())
    work.rounds.append(estimator.rounds)
    work.cut = work.cut or estimator.cut
    calibrated, _ = _calibrated(prepared.problem, (fold.y_valid, fold.weights_valid), prediction)
    work.scores.append(_scored(prepared.problem, fold.y_valid, calibrated, fold.weights_valid))


def fit_fold(algorithm: Algorithm, fold: FoldTable, candidate: Candidate, context: FitContext) -> Estimator:
    """One fit; with the param `target` on `log`, of the logarithm of a regression's target."""
    if fold.task is not Task.REGRESSION or candidate.params.get("target") != "log":
        return algorithm.fit(fold, candidate.params, context)
    logged = replace(fold, y=np.log1p(fold.y), y_valid=np.log1p(fold.y_valid))
    return LogTarget(algorithm.fit(logged, candidate.params, context))


def _prune(prepared: Prepared, candidate: Candidate, work: _Work) -> None:
    """Give up what is clearly below the best trial on the folds seen so far."""
    seen, count = len(work.scores), len(prepared.folds.pairs)
    if not candidate.bar or len(candidate.bar) != count or not LEAST_FOLDS <= seen < count:
        return
    loss = prepared.problem.measure.loss
    gaps = np.array([loss(mine) - loss(best) for mine, best in zip(work.scores, candidate.bar, strict=False)])
    error = max(float(np.std(gaps, ddof=1)) / np.sqrt(seen), 1e-12)
    if gaps.min() > 0 and gaps.mean() > PRUNE_SPREADS * error:
        raise _Pruned(f"After {seen} of {count} folds it was clearly below the best trial.")


def _why(error: Exception) -> tuple[str, str]:
    """Cause and advice in plain words."""
    if isinstance(error, FlowMLError):
        return error.message, error.advice
    if isinstance(error, MemoryError):
        return "It ran out of memory.", "Use fewer rows, or a machine with more memory."
    first = (str(error).strip().splitlines() or [""])[0][:300]
    return f"{type(error).__name__}: {first}", "The search goes on without it."
