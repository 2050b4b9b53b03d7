"""The clock of a job: from its start to a saved, exported model. The end of it is reserved for the finish."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from flowml.automl.costs import THREAD_GAIN
from flowml.automl.shape import Shape
from flowml.automl.sizes import estimated_bytes, few, fitting, served_share
from flowml.storage.records import TrialRecord, TrialState

BASE_S = 2.0  # for a child to be ready, the ensemble, parity gate and card of small models,
COMPUTED_S = 0.5  # of which are spent on a core
LEAST_RESERVE_S = 0.8  # of a very small budget
MOST_RESERVE = 0.25  # of the budget,
MOST_CROWDED = 0.4  # where things take longer
SINGLE_S = 0.25  # for the best trial alone with one fold model, beside its export
LEAST_EXPLAIN_S = 0.2  # for importances of a small model
TAIL_S = 0.12  # after the finish: its files, and the end of all processes
MOST_REFIT = 0.15  # of the budget, that is kept besides where members learn all rows in the end
EXPLAIN_SHARE = 0.03  # of the budget, for importances
EXPORT_S = 0.05  # of a trial whatever its size
EXPORT_S_PER_MB = {  # as measured on four tables: small trees and what compares rows with rows take longest
    "lightgbm": 0.15,
    "xgboost": 0.15,
    "catboost": 0.2,
    "random_forest": 0.065,
    "extra_trees": 0.06,
    "ada_boost": 0.11,
    "gradient_boosting": 0.45,
    "hist_gradient_boosting": 0.6,
    "svm": 0.5,
    "mlp": 0.5,
    "k_nearest_neighbors": 0.6,
}
OTHER_S_PER_MB = 0.2
SHARED = 0.8  # of these seconds, where several cores export
BASELINE = "dummy"
LIKELY_MEMBERS = 5  # trials that a champion is made of


def export_seconds(record: TrialRecord) -> float:
    """To read the fold models of a trial, write them as ONNX and check them, on one ordinary core."""
    return EXPORT_S + record.size_bytes / 2**20 * EXPORT_S_PER_MB.get(record.algorithm, OTHER_S_PER_MB)


def shared(cores: int) -> float:
    """How much of the time of one core an export takes with so many."""
    return 1.0 if cores == 1 else SHARED


def refit_seconds(record: TrialRecord, whole_share: float, cores: int) -> float:
    """To fit a trial once more, on all rows and all cores. `whole_share`: see Shape."""
    gain = (1 + THREAD_GAIN * (cores - 1)) / (1 + THREAD_GAIN * (max(1, record.threads) - 1))
    return record.fit_seconds * whole_share / gain


@dataclass
class Budget:
    """`started` is when the job began, in seconds since 1970."""

    budget_s: float
    started: float = field(default_factory=time.time)
    folds: int = 0  # fold models of each member of a champion; 1: members learn all rows in the end
    whole_share: float = 0.0  # of what a trial takes, to learn all rows
    size_limit: int | None = None  # bytes of the champion's file
    maximize: bool = False  # whether scores are better the higher they are
    cores: int = 1
    pace: float = 1.0  # times that things take here of what they take on an ordinary machine at rest
    successor_s: float = 0.0  # until a child is ready for the finish that can do it, as seen in this run
    _began_s: float = 0.0  # used before the search
    _complete: list[TrialRecord] = field(default_factory=list)
    _reserve: float | None = None  # as it was last worked out, with what was known then

    def know(self, shape: Shape, size_limit: int | None, cores: int) -> None:
        """What the problem and the machine are like, once that is known."""
        self.folds, self.whole_share = shape.kept, shape.whole_share
        self.maximize = shape.direction == "maximize"
        self.size_limit, self.cores = size_limit, cores
        self._began_s = self.used()
        self._reserve = None

    def keep_pace(self, pace: float, successor_s: float) -> None:
        """How things go on this machine now, as measured."""
        self.pace, self.successor_s = pace, successor_s
        self._reserve = None

    def used(self) -> float:
        return time.time() - self.started

    def remaining(self) -> float:
        return self.budget_s - self.used()

    def search_left(self) -> float:
        """Seconds until the search should end."""
        return self.finish_left() - self.reserve()

    def finish_left(self) -> float:
        """Seconds until the finish must have ended. At a slow pace what follows it takes longer, too."""
        return self.remaining() - (self.pace - 1) * TAIL_S

    def reserve(self) -> float:
        """Seconds kept for the finish, by the size of the best models so far and the pace of the machine."""
        if self._reserve is None:
            crowded = self.pace > 1
            explain = max(EXPLAIN_SHARE * self.budget_s, self.pace * LEAST_EXPLAIN_S)
            base = max(BASE_S, self.pace * COMPUTED_S + crowded * self.successor_s)
            wanted = base + self.pace * self._export() + explain
            self._reserve = self._refits() + min(wanted, self._most())
        return self._reserve

    def _most(self) -> float:
        """Seconds for the finish at most. Where things take long, the search still gets half of what is left,
        unless the best trial alone could not be exported then; and until there is more than a baseline, all
        that this one's export leaves.
        """
        if self.pace <= 1:
            return max(LEAST_RESERVE_S, MOST_RESERVE * self.budget_s)
        share = min(MOST_CROWDED, self.pace * MOST_RESERVE)
        least = max(LEAST_RESERVE_S, self.pace * (SINGLE_S + self._first()))
        if all(record.algorithm == BASELINE for record in self._complete):
            return least
        return max(least, min(share * self.budget_s, (self.budget_s - self._began_s) / 2))

    def learn(self, record: TrialRecord) -> None:
        """What a trial left decides how long the finish will take."""
        if record.state is TrialState.COMPLETE:
            self._complete.append(record)
            self._reserve = None

    def _export(self) -> float:
        """Of the final model, and of one fold of that to fall back on."""
        best = self._best()
        share = served_share(best, self.folds, self.size_limit) if self.folds else 1.0
        return self._first() + shared(self.cores) * share * sum(map(export_seconds, best))

    def _first(self) -> float:
        return shared(self.cores) * sum(map(export_seconds, self._best()[:1])) / max(1, self.folds)

    def _refits(self) -> float:
        """Seconds for the likely members to learn all rows, where few of their fold models would serve."""
        best = self._best() if self.folds else []
        if not best or not few(fitting(estimated_bytes(best), self.folds, self.size_limit), self.folds):
            return 0.0
        wanted = sum(refit_seconds(record, self.whole_share, self.cores) for record in best)
        return min(wanted, MOST_REFIT * self.budget_s)

    def _best(self) -> list[TrialRecord]:
        def loss(record: TrialRecord) -> float:
            score = record.score if record.score is not None else -math.inf if self.maximize else math.inf
            return -score if self.maximize else score

        return sorted(self._complete, key=loss)[:LIKELY_MEMBERS]
