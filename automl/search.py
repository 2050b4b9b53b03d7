"""What to try next under a budget: a baseline, then the portfolio, then what Optuna learns from them.

A lane asks for candidates and tells how they ended, from several children at once if it likes. What cannot
finish in the time that remains is made lighter, and left out where that is not possible. The same answers in
the same order give the same candidates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from flowml.automl.algorithms import algorithms_for
from flowml.automl.algorithms.row import Algorithm
from flowml.automl.candidate import Candidate
from flowml.automl.costs import Costs
from flowml.automl.metrics import METRICS
from flowml.automl.portfolio import Entry, portfolio
from flowml.automl.sampler import Sampler
from flowml.automl.shape import Shape
from flowml.storage.records import JobSpec, Json, TrialRecord, TrialState

__all__ = ["Candidate", "Search", "Shape"]

BASELINE = "dummy"
MOST_OF_REMAINING = 0.5  # that one trial may be planned to take while others are still to come
LEAST_SHARE = 0.35  # of its time that a lighter trial must get to be worth it
DRAWS = 8  # samples tried to find one that fits the time
KEENNESS = 20.0  # how strongly better algorithms are preferred
HOPELESS = 0.02  # worth, relative to the best algorithm, below which one is not searched further


class Search:
    """One study. `completed` are the trials of an earlier attempt at the same job, `pending` those that were
    decided on and are still to be told.
    """

    def __init__(
        self,
        shape: Shape,
        spec: JobSpec,
        completed: Iterable[TrialRecord] = (),
        pending: Iterable[Candidate] = (),
    ) -> None:
        self._shape, self._spec = shape, spec
        self._metric = METRICS[shape.metric]
        self._rows = {row.key: row for row in algorithms_for(shape.task, spec.algorithms)}
        self._costs = Costs(shape)
        self._sampler = Sampler(spec.seed)
        self._asked: Counter[str] = Counter()
        self._ended: dict[int, TrialRecord] = {}
        self._pending: dict[int, Candidate] = {}
        self._next_number = 0
        self._baseline_due = True
        self._entries = list(portfolio(shape, tuple(self._rows)))
        self._left_out: list[Entry] = []
        for record in completed:
            self._remember(record)
            self.tell(record)
        for candidate in pending:
            self._remember(candidate)
            self._pending[candidate.number] = candidate

    @property
    def left_out(self) -> tuple[str, ...]:
        """What of the portfolio was not tried because it could not finish in time, in words."""
        labels = Counter(self._rows[entry.algorithm].label for entry in self._left_out)
        return tuple(f"{label}: {count} configurations could not finish" for label, count in labels.items())

    # --- ask ----------------------------------------------------------------------------------------------

    def ask(self, remaining_s: float) -> Candidate | None:
        """The next candidate, or None if nothing is left to try or nothing can finish in time."""
        if self._is_full():
            return None
        if self._baseline_due:
            self._baseline_due = False
            return self._propose(BASELINE, {}, "baseline", remaining_s)
        return self._from_portfolio(remaining_s) or self._from_sampler(remaining_s)

    def _is_full(self) -> bool:
        """Whether there were as many trials as asked for; the baseline is not counted."""
        most = self._spec.max_trials
        return most is not None and self._asked.total() - self._asked[BASELINE] >= most

    def _propose(
        self, algorithm: str, params: Json, stage: str, limit_s: float, number: int | None = None
    ) -> Candidate:
        number = self._next_number if number is None else number
        self._next_number = max(self._next_number, number + 1)
        self._asked[algorithm] += 1
        bar = self._bar() if stage == "search" else ()
        seed = self._spec.seed + 1000 * number
        candidate = Candidate(number, algorithm, params, stage, seed, round(limit_s, 3), bar)
        self._pending[number] = candidate
        return candidate

    def _bar(self) -> tuple[float, ...]:
        best = self._best()
        return best.fold_scores if best else ()

    def _best(self, algorithm: str | None = None) -> TrialRecord | None:
        scored = [r for r in self._complete() if algorithm in (None, r.algorithm)]
        return min(scored, key=self._loss, default=None)

    def _complete(self) -> list[TrialRecord]:
        return [r for r in self._ended.values() if r.state is TrialState.COMPLETE and r.score is not None]

    def _loss(self, record: TrialRecord) -> float:
        assert record.score is not None
        return self._metric.loss(record.score)

    def _may_ask(self, algorithm: str) -> bool:
        most = self._spec.trials_per_algorithm
        return most is None or self._asked[algorithm] < most

    # --- time ---------------------------------------------------------------------------------------------

    def _in_time(self, algorithm: str, params: Json, limit_s: float) -> Json | None:
        """The params, made lighter where needed, or None if they cannot finish."""
        share = limit_s / self._costs.seconds(algorithm, params)
        if share >= 1:
            return params
        lighter = self._rows[algorithm].lighter
        if lighter is None or share < LEAST_SHARE:
            return None
        changed = lighter(params, share)
        return changed if self._costs.seconds(algorithm, changed) <= 1.5 * limit_s else None

    # --- portfolio ----------------------------------------------------------------------------------------

    def _from_portfolio(self, remaining_s: float) -> Candidate | None:
        """The first wave cheapest first, the rest in its order; what does not fit now will not fit later."""
        self._entries = [entry for entry in self._entries if self._may_ask(entry.algorithm)]
        while self._entries:
            entry = self._next_entry()
            self._entries.remove(entry)
            last = len(self._entries) <= len(self._pending)
            limit_s = remaining_s * (0.9 if last else MOST_OF_REMAINING)
            params = self._in_time(entry.algorithm, entry.changes, limit_s)
            if params is None:
                self._left_out.append(entry)
            else:
                return self._propose(entry.algorithm, params, "portfolio", max(limit_s, 0.8 * remaining_s))
        return None

    def _next_entry(self) -> Entry:
        first = [entry for entry in self._entries if entry.wave == 1]
        if not first:
            return self._entries[0]
        return min(first, key=lambda entry: self._costs.seconds(entry.algorithm, entry.changes))

    # --- sampler ------------------------------------------------------------------------------------------

    def _from_sampler(self, remaining_s: float) -> Candidate | None:
        """Params for the algorithm that most deserves a trial."""
        for row in self._by_merit():
            limit_s = 0.8 * remaining_s
            for _ in range(DRAWS):
                number = self._next_number
                params = self._sampler.ask(number, row, self._shape)
                if self._costs.seconds(row.key, params) <= limit_s:
                    return self._propose(row.key, params, "search", 0.95 * remaining_s, number)
                self._sampler.drop(number)
        return None

    def _by_merit(self) -> list[Algorithm]:
        """Good algorithms often, others now and then: merit falls with each trial that one had."""
        merits = {key: self._merit(key) for key in self._rows if self._may_ask(key)}
        order = sorted(merits, key=lambda key: -merits[key])
        return [self._rows[key] for key in order if merits[key] > 0]

    def _merit(self, key: str) -> float:
        best, own, base = self._best(), self._best(key), self._best(BASELINE)
        if key == BASELINE or not best:
            return 0.0
        if own is None:
            return 0.0 if self._asked[key] else 0.5
        learnable = max(self._loss(base) - self._loss(best), 1e-12) if base else abs(self._loss(best)) + 1e-12
        gap = (self._loss(own) - self._loss(best)) / learnable
        worth = math.exp(-KEENNESS * gap)
        return worth / (1 + self._asked[key]) if worth > HOPELESS else 0.0

    # --- tell ---------------------------------------------------------------------------------------------

    def tell(self, record: TrialRecord) -> None:
        """How a candidate ended, in whatever state."""
        self._pending.pop(record.number, None)
        self._ended[record.number] = record
        self._costs.learn(record)
        if record.algorithm in self._rows:
            complete = record.state is TrialState.COMPLETE and record.score is not None
            loss = self._loss(record) if complete else None
            self._sampler.tell(record, self._rows[record.algorithm], self._shape, loss)

    def _remember(self, trial: TrialRecord | Candidate) -> None:
        """A trial of an earlier attempt: neither it nor its entry is tried again."""
        self._asked[trial.algorithm] += 1
        self._next_number = max(self._next_number, trial.number + 1)
        self._baseline_due = self._baseline_due and trial.stage != "baseline"
        self._entries = [entry for entry in self._entries if not _same(entry, trial)]


def _same(entry: Entry, trial: TrialRecord | Candidate) -> bool:
    """Whether a trial came from an entry, perhaps made lighter."""
    if entry.algorithm != trial.algorithm or trial.stage != "portfolio":
        return False
    lightened = ("learning_rate", "rounds", "trees")
    return all(trial.params.get(k) == v for k, v in entry.changes.items() if k not in lightened)
