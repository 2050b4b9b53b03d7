"""The clock of a job: from its start to a saved, exported model. The end of it is reserved for the finish."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from flowml.storage.records import TrialRecord, TrialState

LEAST_RESERVE_S = 0.8  # for ensemble, export, parity gate and card of small models
MOST_RESERVE = 0.3  # of the budget
EXPLAIN_SHARE = 0.03  # of the budget, for importances
EXPORT_S_PER_MB = 0.17  # of fold models, to read, write as ONNX and check
LIKELY_MEMBERS = 5  # trials that a champion is made of


@dataclass
class Budget:
    """`started` is when the job began, in seconds since 1970."""

    budget_s: float
    started: float = field(default_factory=time.time)
    _sizes: list[int] = field(default_factory=list)

    def used(self) -> float:
        return time.time() - self.started

    def remaining(self) -> float:
        return self.budget_s - self.used()

    def search_left(self) -> float:
        """Seconds until the search should end."""
        return self.remaining() - self.reserve()

    def reserve(self) -> float:
        """Seconds kept for the finish, by the size of the largest models so far."""
        largest = sorted(self._sizes, reverse=True)[:LIKELY_MEMBERS]
        export = EXPORT_S_PER_MB * sum(largest) / 2**20
        wanted = LEAST_RESERVE_S + EXPLAIN_SHARE * self.budget_s + export
        return min(wanted, max(LEAST_RESERVE_S, MOST_RESERVE * self.budget_s))

    def learn(self, record: TrialRecord) -> None:
        """What a trial left decides how long the export will take."""
        if record.state is TrialState.COMPLETE:
            self._sizes.append(record.size_bytes)
