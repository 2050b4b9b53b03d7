"""A blend: some trials with weights, and what their out-of-fold predictions say of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from flowml.automl import calibration
from flowml.automl.ensemble import combine
from flowml.automl.metrics import Array
from flowml.automl.onnx.steps import Step
from flowml.automl.outcome import load_oof, trial_folder
from flowml.automl.prepared import Prepared
from flowml.automl.stack import Learned, Stack, learn
from flowml.automl.threshold import best_threshold, decided, has_threshold
from flowml.storage.errors import TrialError
from flowml.storage.records import Recipe, Task, TrialRecord, TrialState

MOST_CANDIDATES = 60  # trials that an ensemble may choose from
MOST_BYTES = 600 * 2**20  # of out-of-fold predictions held at once


@dataclass(frozen=True)
class Blend:
    members: tuple[TrialRecord, ...]
    weights: tuple[float, ...]
    oof: Array
    score: float
    fold_scores: tuple[float, ...]
    steps: tuple[Step, ...] = ()
    stack: Stack | None = None  # on top of the members
    threshold: float | None = None  # from which a binary answer is the second class; None: the likelier one
    crosswise: float | None = None  # of an ensemble, with weights from rows other than those scored
    single_crosswise: float | None = None  # of the best single trial, chosen on other rows
    fallback: Blend | None = None  # the plain mean, where a stack on top was better
    told: Recipe | None = None  # what a stack answers for the rows that it learned, by which it is verified

    @property
    def is_single(self) -> bool:
        return len(self.members) == 1

    @property
    def recipe(self) -> Recipe:
        """How to make it again from its trials."""
        if self.told is not None:
            return self.told
        numbers = tuple(member.number for member in self.members)
        stack = self.stack.to_dict() if self.stack else None
        return Recipe(numbers, self.weights, self.score, self.fold_scores, stack)

    @property
    def size_bytes(self) -> int:
        return sum(member.size_bytes for member in self.members)


def ranked(prepared: Prepared, records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Complete trials over the folds of this study, best first."""
    loss = prepared.problem.measure.loss
    scored = [
        (loss(r.score), r.number, r)
        for r in records
        if r.state is TrialState.COMPLETE and r.score is not None and r.folds_id == prepared.folds.id
    ]
    if not scored:
        message = "No trial was completed, so there is no model."
        raise TrialError(message, "Give a larger budget, or see the causes of the trials.")
    return [record for *_, record in sorted(scored, key=lambda each: each[:2])]


def single(prepared: Prepared, work: Path, record: TrialRecord) -> Blend:
    oof = load_oof(trial_folder(work, record.number))
    if oof is None:
        raise TrialError(f"The predictions of trial {record.number} are gone.", "Run the job again.")
    return blended(prepared, (record,), (1.0,), [oof])


def ensemble(
    prepared: Prepared, work: Path, best_first: Sequence[TrialRecord], deadline: float
) -> Blend | None:
    """A greedy ensemble of the best trials, or None if there is nothing to combine."""
    outputs = max(len(prepared.problem.classes), 1)
    fitting = max(2, MOST_BYTES // (4 * outputs * max(1, len(prepared.folds.rows))))
    candidates = [r for r in best_first if r.algorithm != "dummy"][: min(MOST_CANDIDATES, fitting)]
    parts = {r.number: load_oof(trial_folder(work, r.number)) for r in candidates}
    known = [(r, part) for r in candidates if (part := parts[r.number]) is not None]
    if len(known) < 2:
        return None
    (y, weights), problem = prepared.checked, prepared.problem
    oofs = [part for _, part in known]
    seconds = max(0.2, deadline - time.monotonic())
    chosen = combine(oofs, y, weights, problem.metric, problem.seed, seconds / 2)
    members = tuple(known[i][0] for i in chosen.members)
    shares = tuple(float(chosen.weights[i]) for i in chosen.members)
    blend = blended(prepared, members, shares, [oofs[i] for i in chosen.members])
    blend = replace(blend, crosswise=chosen.crosswise, single_crosswise=chosen.single_crosswise)
    places = _diverse(chosen.members, [record for record, _ in known])
    lower = [oofs[i] for i in places]
    found = learn(lower, y, weights, problem.task, problem.metric, problem.seed, deadline)
    if found is None:
        return blend
    members = tuple(known[i][0] for i in places)
    shares = tuple(float(chosen.weights[i]) for i in places)
    stacked = _stacked(prepared, members, shares, lower, found)
    return replace(
        stacked, crosswise=found.crosswise, single_crosswise=chosen.single_crosswise, fallback=blend
    )


def _stacked(
    prepared: Prepared,
    members: tuple[TrialRecord, ...],
    shares: tuple[float, ...],
    parts: Sequence[Array],
    found: Learned,
) -> Blend:
    """A stack, judged and calibrated by its answers for rows that it did not learn.

    It is surer of those that it learned than it may be.
    """
    told = blended(prepared, members, shares, parts, found.stack).recipe
    oof = _mixed(prepared, shares, parts, found.stack)
    oof[found.rows] = found.answer
    return replace(_judged(prepared, members, shares, oof, found.stack), told=told)


def _diverse(chosen: Sequence[int], records: Sequence[TrialRecord]) -> tuple[int, ...]:
    """The trials chosen for a mean, and the best one of each algorithm that is not among them."""
    places, seen = list(chosen), {records[i].algorithm for i in chosen}
    for place, record in enumerate(records):
        if record.algorithm not in seen:
            seen.add(record.algorithm)
            places.append(place)
    return tuple(places)


def without(prepared: Prepared, work: Path, blend: Blend, dropped: TrialRecord) -> Blend:
    """A lighter blend: first without its stack, then with one member less."""
    if blend.fallback is not None:
        return blend.fallback
    left = [(m, w) for m, w in zip(blend.members, blend.weights, strict=True) if m.number != dropped.number]
    total = sum(weight for _, weight in left)
    parts = [load_oof(trial_folder(work, member.number)) for member, _ in left]
    shares = tuple(weight / total for _, weight in left)
    return blended(prepared, tuple(m for m, _ in left), shares, [part for part in parts if part is not None])


def notes_of(prepared: Prepared, blend: Blend) -> list[str]:
    """How it comes to its answers, in words for its card."""
    notes = []
    if blend.stack is not None:
        share = f"{blend.stack.share:.0%} of the answer"
        notes.append(f"A linear model on top of its {len(blend.members)} trials gives {share}.")
    if blend.crosswise is not None:
        notes.append(f"With weights chosen on other rows the ensemble scores {blend.crosswise:.6g}.")
    if blend.threshold is not None:
        second = prepared.problem.classes[1]
        notes.append(f"The answer is {second!r} from a probability of {blend.threshold:.3g} on.")
    notes += [f"Calibrated: {step.kind} {step.params}" for step in blend.steps if step.kind == "temperature"]
    return notes


def blended(
    prepared: Prepared,
    members: tuple[TrialRecord, ...],
    shares: tuple[float, ...],
    parts: Sequence[Array],
    stack: Stack | None = None,
) -> Blend:
    """The mean of out-of-fold predictions or a stack on top of them, calibrated where that helps."""
    return _judged(prepared, members, shares, _mixed(prepared, shares, parts, stack), stack)


def _mixed(
    prepared: Prepared, shares: tuple[float, ...], parts: Sequence[Array], stack: Stack | None
) -> Array:
    together = np.stack(list(parts))
    oof: Array = np.tensordot(np.array(shares), together, axes=1)
    return oof if stack is None else stack.mixed(oof, together, prepared.problem.task)


def _judged(
    prepared: Prepared,
    members: tuple[TrialRecord, ...],
    shares: tuple[float, ...],
    oof: Array,
    stack: Stack | None,
) -> Blend:
    steps = _steps(prepared, members, oof)
    for step in steps:
        oof = calibration.applied(prepared.problem.task, oof, step)
    problem, (y, weights) = prepared.problem, prepared.checked
    threshold = None
    if has_threshold(problem.metric, oof):
        threshold = best_threshold(problem.metric, y, oof, weights)
    answer = oof if threshold is None else decided(oof, threshold)
    score = problem.measure.score(y, answer, weights)
    return Blend(members, shares, oof, score, _fold_scores(prepared, answer), steps, stack, threshold)


def _steps(prepared: Prepared, members: tuple[TrialRecord, ...], oof: Array) -> tuple[Step, ...]:
    problem = prepared.problem
    if problem.task is Task.REGRESSION:
        if not any(member.params.get("target") == "log" for member in members):
            return ()
        limits = {"low": float(problem.y.min()), "high": float(problem.y.max())}
        return (Step("limits", limits),)  # what was learned as a logarithm may run away
    step = calibration.temperature_step(problem.task, problem.metric, oof, *prepared.checked, problem.seed)
    return (step,) if step else ()


def _fold_scores(prepared: Prepared, answer: Array) -> tuple[float, ...]:
    problem, rows = prepared.problem, prepared.folds.rows
    scores = []
    for _, valid in prepared.folds.pairs:
        weights = None if problem.weights is None else problem.weights[valid]
        part = answer[np.searchsorted(rows, valid)]
        scores.append(problem.measure.score(problem.y[valid], part, weights))
    return tuple(scores)
