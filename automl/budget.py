"""The clock of a job: from its start to a saved, exported model. The end of it is reserved for the finish."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from flowml.automl.algorithms import ALGORITHMS
from flowml.storage.records import TrialRecord, TrialState

BASE_S = 2.0  # for a child to be ready, the ensemble, parity gate and card of small models
LEAST_RESERVE_S = 0.8  # of a very small budget
MOST_RESERVE = 0.25  # of the budget
EXPLAIN_SHARE = 0.03  # of the budget, for importances
EXPORT_S_PER_MB = {"lightgbm": 0.12, "xgboost": 0.13, "catboost": 0.09, "sklearn_trees": 0.055}
LIKELY_MEMBERS = 5  # trials that a champion is made of


def export_seconds(record: TrialRecord) -> float:
    """To read the fold models of a trial, write them as ONNX and check them, on an ordinary core."""
    row = ALGORITHMS.get(record.algorithm)
    return record.size_bytes / 2**20 * EXPORT_S_PER_MB.get(row.format if row else "", 0.05)


@dataclass
class Budget:
    """`started` is when the job began, in seconds since 1970."""

    budget_s: float
    started: float = field(default_factory=time.time)
    _exports: list[float] = field(default_factory=list)

    def used(self) -> float:
        return time.time() - self.started

    def remaining(self) -> float:
        return self.budget_s - self.used()

    def search_left(self) -> float:
        """Seconds until the search should end."""
        return self.remaining() - self.reserve()

    def reserve(self) -> float:
        """Seconds kept for the finish, by the size of the largest models so far."""
        export = sum(sorted(self._exports, reverse=True)[:LIKELY_MEMBERS])
        wanted = BASE_S + EXPLAIN_SHARE * self.budget_s + export
        return min(wanted, max(LEAST_RESERVE_S, MOST_RESERVE * self.budget_s))

    def learn(self, record: TrialRecord) -> None:
        """What a trial left decides how long the export will take."""
        if record.state is TrialState.COMPLETE:
            self._exports.append(export_seconds(record))
