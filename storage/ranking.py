"""From trials and models to the rows of a leaderboard, ranked by the job's metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from flowml.storage.records import Job, LeaderboardRow, Model, TrialRecord, TrialState


def rows_of(job: Job, tried: Sequence[TrialRecord], fitted: Sequence[Model]) -> tuple[LeaderboardRow, ...]:
    """One row per trial, and one per model that no trial made, such as the ensemble."""
    model_of_trial = {model.trial: model for model in fitted if model.trial is not None}
    numbers = {trial.number for trial in tried}
    rows = [_trial_row(job, trial, model_of_trial.get(trial.number)) for trial in tried]
    rows += [_model_row(job, model) for model in fitted if model.trial not in numbers]
    return tuple(rows)


def rank(rows: Iterable[LeaderboardRow], direction: str) -> tuple[LeaderboardRow, ...]:
    """Complete rows from the best on; the others follow, unranked, with their cause."""
    sign = -1.0 if direction == "maximize" else 1.0
    unranked = [replace(row, rank=None) for row in rows]
    complete = [row for row in unranked if _ranks(row)]
    others = [row for row in unranked if not _ranks(row)]
    complete.sort(key=lambda row: sign * (row.score or 0.0))  # equal scores keep the order of the trials
    return tuple(replace(row, rank=place) for place, row in enumerate(complete, start=1)) + tuple(others)


def _ranks(row: LeaderboardRow) -> bool:
    return row.state is TrialState.COMPLETE and row.score is not None and not math.isnan(row.score)


def _trial_row(job: Job, trial: TrialRecord, model: Model | None) -> LeaderboardRow:
    row = LeaderboardRow.of(trial, metric=trial.metric or job.metric, latency_ms=None)
    if model is None:
        return row
    return replace(
        row,
        name=model.name,
        latency_ms=model.latency_ms,
        rows_per_second=model.rows_per_second,
        size_bytes=model.onnx.size,
        model_id=model.id,
        champion=_is_champion(job, model),
    )


def _model_row(job: Job, model: Model) -> LeaderboardRow:
    return LeaderboardRow(
        rank=None,
        name=model.name,
        algorithm=model.algorithm,
        score=model.score,
        score_std=model.score_std,
        metric=model.metric,
        fit_seconds=0.0,
        latency_ms=model.latency_ms,
        rows_per_second=model.rows_per_second,
        size_bytes=model.onnx.size,
        state=TrialState.COMPLETE,
        model_id=model.id,
        trial=model.trial,
        champion=_is_champion(job, model),
        worker=job.worker,
    )


def _is_champion(job: Job, model: Model | None) -> bool:
    return model is not None and (model.champion or model.id == job.champion)
