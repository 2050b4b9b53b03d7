"""The rows of a leaderboard: every trial, and the ensemble if the champion is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.blend import Blend
from flowml.automl.metrics import METRICS
from flowml.storage.records import Json, LeaderboardRow, TrialRecord, TrialState

ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class Speed:
    """Of an exported model in onnxruntime on one thread."""

    latency_ms: float
    rows_per_second: float
    size_bytes: int


def leaderboard(
    records: Sequence[TrialRecord],
    champion: Blend,
    refused: Mapping[tuple[int, ...], str],
    speeds: Mapping[int | None, Speed],
    metric: str,
) -> tuple[LeaderboardRow, ...]:
    """Complete rows best first with ranks, then the others.

    `refused`: why what would have been better is not the champion, by the numbers of its trials; `speeds` by
    trial, that of an ensemble under None.
    """
    rows = [_trial_row(record, speeds.get(record.number)) for record in records]
    rows = [replace(row, cause=refused.get((row.trial or 0,), row.cause)) for row in rows]
    if champion.is_single:
        number = champion.members[0].number
        told: Json = {
            "score": champion.score,
            "score_std": _spread(champion),
            "fold_scores": champion.fold_scores,
        }
        rows = [replace(row, champion=True, **told) if row.trial == number else row for row in rows]
    else:
        rows.append(_ensemble_row(champion, speeds.get(None), metric))
    loss = METRICS[metric].loss
    complete = [row for row in rows if row.score is not None and row.state is TrialState.COMPLETE]
    complete.sort(key=lambda row: (loss(row.score or 0.0), not row.champion, row.trial or 0))
    others = [row for row in rows if row not in complete]
    return tuple(replace(row, rank=place) for place, row in enumerate(complete, 1)) + tuple(others)


def name_of(record: TrialRecord) -> str:
    return f"{ALGORITHMS[record.algorithm].label} {record.number}"


def _trial_row(record: TrialRecord, speed: Speed | None) -> LeaderboardRow:
    row = LeaderboardRow.of(record, name=name_of(record), latency_ms=None)
    return row if speed is None else replace(row, **asdict(speed))


def _spread(blend: Blend) -> float:
    return float(np.std(blend.fold_scores))


def _ensemble_row(blend: Blend, speed: Speed | None, metric: str) -> LeaderboardRow:
    return LeaderboardRow(
        rank=None,
        name=f"Ensemble of {len(blend.members)}",
        algorithm=ENSEMBLE,
        score=blend.score,
        score_std=_spread(blend),
        metric=metric,
        fit_seconds=sum(member.fit_seconds for member in blend.members),
        latency_ms=speed.latency_ms if speed else None,
        size_bytes=speed.size_bytes if speed else blend.size_bytes,
        state=TrialState.COMPLETE,
        champion=True,
        fold_scores=blend.fold_scores,
        params={
            name_of(member): round(weight, 4)
            for member, weight in zip(blend.members, blend.weights, strict=True)
        },
        stage=ENSEMBLE,
        rows_per_second=speed.rows_per_second if speed else None,
    )
