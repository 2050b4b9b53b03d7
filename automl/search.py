"""What to try next under a budget: a baseline, then the portfolio, then what Optuna learns from them.

A lane asks for candidates and tells how they ended, from several children at once if it likes. What cannot
finish in the time that remains is made lighter, and left out where that is not possible. Where a table is too
large for all algorithms to learn from all of it, they begin on a sample, which grows for the better ones. The
same answers in the same order give the same candidates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from flowml.automl.algorithms import algorithms_for
from flowml.automl.algorithms.row import Algorithm
from flowml.automl.budget import BASELINE
from flowml.automl.candidate import Candidate
from flowml.automl.costs import Costs
from flowml.automl.growth import FEWEST_SURVIVORS, rungs, survivors
from flowml.automl.metrics import METRICS
from flowml.automl.portfolio import Entry, portfolio
from flowml.automl.sampler import Sampler
from flowml.automl.shape import Shape
from flowml.storage.records import JobSpec, TrialRecord, TrialState

__all__ = ["Candidate", "Search", "Shape"]

MOST_OF_REMAINING = 0.5  # that one trial may be planned to take while others are still to come
MOST_AT_ALL = 0.8  # of what remains, that one trial may take then, if it takes longer than planned
PATIENCE = 1.5  # times what was planned, that one of the first wave may take beyond its even share
LEAST_SHARE = 0.35  # of its time that a lighter trial must get to be worth it
DEARER = 3.0  # a sampled trial may take so many times what the defaults of its algorithm take,
LEAST_OF_REMAINING = 0.05  # or this share of what remains
DRAWS = 8  # samples of an algorithm tried to find one that fits the time,
MOST_DRAWN = 3  # algorithms that they are drawn of: where none of these fits, hardly any time is left
LIGHTEST = 0.25  # of what the defaults of an algorithm take, below which hardly any sample of it lies
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
        self._in_vain: dict[str, float] = {}  # share of its usual cost that no sample fitted
        self._asked: Counter[str] = Counter()
        self._ended: dict[int, TrialRecord] = {}
        self._pending: dict[int, Candidate] = {}
        self._side_by_side = 1  # trials, as far as seen
        self._next_number = 0
        self._baseline_due = True
        self._entries = list(portfolio(shape, tuple(self._rows)))
        self._left_out: list[Entry] = []
        self._sizes: list[int] | None = None  # of samples still to come; None: not settled yet
        self._sample: int | None = None  # rows that a fold learns from now; None: all
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

    def ask(self, remaining_s: float, pace: float = 1.0) -> Candidate | None:
        """The next candidate, or None if nothing is left to try or nothing can finish in time.

        `pace`: how many times longer things take here than on an ordinary machine, for what is untried.
        """
        self._costs.pace = pace
        if self._is_full():
            return None
        self._side_by_side = max(self._side_by_side, 1 + len(self._pending))
        if self._baseline_due:
            self._baseline_due = False
            return self._propose(Entry(BASELINE), "baseline", remaining_s)
        self._grow(remaining_s)
        return self._from_portfolio(remaining_s) or self._from_sampler(remaining_s)

    def _is_full(self) -> bool:
        """Whether there were as many trials as asked for; the baseline is not counted."""
        most = self._spec.max_trials
        return most is not None and self._asked.total() - self._asked[BASELINE] >= most

    def _propose(self, entry: Entry, stage: str, limit_s: float, number: int | None = None) -> Candidate:
        number = self._next_number if number is None else number
        self._next_number = max(self._next_number, number + 1)
        self._asked[entry.algorithm] += 1
        bar = self._bar() if stage == "search" else ()
        seed = self._spec.seed + 1000 * number
        candidate = Candidate(
            number, entry.algorithm, entry.changes, stage, seed, round(limit_s, 3), bar, rows=entry.rows
        )
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

    def _seconds(self, entry: Entry) -> float:
        return self._costs.seconds(entry.algorithm, entry.changes, entry.rows)

    def _in_time(self, entry: Entry, limit_s: float) -> Entry | None:
        """The entry, made lighter where needed, or None if it cannot finish."""
        share = limit_s / self._seconds(entry)
        if share >= 1:
            return entry
        lighter = self._rows[entry.algorithm].lighter
        if lighter is None or share < LEAST_SHARE:
            return None
        changed = replace(entry, changes=lighter(entry.changes, share))
        return changed if self._seconds(changed) <= 1.5 * limit_s else None

    # --- samples ------------------------------------------------------------------------------------------

    def _grow(self, remaining_s: float) -> None:
        """At first settle whether to learn from samples; later go on to the next, when all had a turn."""
        if self._sizes is None:
            self._sizes = list(rungs(self._shape, self._first_wave_s, remaining_s))
            losses = dict.fromkeys((e.algorithm for e in self._entries if e.wave == 1), 0.0)
        elif self._sizes and not any(entry.wave == 1 for entry in self._entries):
            losses = self._losses_on(self._sample)
            if len(losses) < FEWEST_SURVIVORS and self._pending:
                return
            for candidate in self._pending.values():  # to wait for the slowest would leave others idle
                if candidate.rows == self._sample and candidate.stage == "portfolio":
                    losses.setdefault(candidate.algorithm, min(losses.values()))
        else:
            return
        if self._sizes and losses:
            first = self._sample is None
            self._sample = self._sizes.pop(0)
            self._enter_sample(tuple(losses) if first else survivors(losses))

    def _first_wave_s(self, rows: int) -> float:
        return sum(self._seconds(replace(entry, rows=rows)) for entry in self._entries if entry.wave == 1)

    def _losses_on(self, rows: int | None) -> dict[str, float]:
        """The best loss of each algorithm that learned from so many rows."""
        found: dict[str, float] = {}
        for record in self._complete():
            if record.rows == rows and record.algorithm != BASELINE:
                loss = self._loss(record)
                found[record.algorithm] = min(loss, found.get(record.algorithm, loss))
        return found

    def _enter_sample(self, algorithms: tuple[str, ...]) -> None:
        """Each of these algorithms once on the next sample, then the rest of their portfolio."""
        shape = self._shape.sampled(self._sample)
        if shape == self._shape:
            self._sample = None
        fresh = [replace(e, rows=self._sample) for e in portfolio(shape, algorithms)]
        later = [e for e in fresh if e.wave != 1] if not self._sizes else []
        known: list[TrialRecord | Candidate] = [*self._ended.values(), *self._pending.values()]
        self._entries = [
            entry
            for entry in ([e for e in fresh if e.wave == 1] + later)
            if not any(_same(entry, trial) for trial in known)
        ]

    # --- portfolio ----------------------------------------------------------------------------------------

    def _from_portfolio(self, remaining_s: float) -> Candidate | None:
        """The first wave cheapest first, the rest in its order; what does not fit now will not fit later."""
        self._entries = [entry for entry in self._entries if self._may_ask(entry.algorithm)]
        while self._entries:
            entry = self._next_entry()
            self._entries.remove(entry)
            last = len(self._entries) <= len(self._pending)
            limit_s = remaining_s * (0.9 if last else MOST_OF_REMAINING)
            fitting = self._in_time(entry, limit_s)
            if fitting is None:
                self._left_out.append(entry)
            else:
                most = limit_s if last else self._most(fitting, remaining_s)
                return self._propose(fitting, "portfolio", most)
        return None

    def _most(self, entry: Entry, remaining_s: float) -> float:
        """Seconds after which a trial is cut. In the first wave each algorithm is to have its turn."""
        most = MOST_AT_ALL * remaining_s
        waiting = 1 + sum(other.wave == 1 for other in self._entries)
        if entry.wave != 1 or waiting == 1:
            return most
        even = remaining_s * self._side_by_side / waiting
        if not self._has_model():
            even = max(even, MOST_OF_REMAINING * remaining_s)
        return min(most, max(even, PATIENCE * self._seconds(entry)))

    def _has_model(self) -> bool:
        """Whether anything but the baseline is complete."""
        return any(record.algorithm != BASELINE for record in self._complete())

    def _next_entry(self) -> Entry:
        first = [entry for entry in self._entries if entry.wave == 1]
        if not first:
            return self._entries[0]
        return min(first, key=self._seconds)

    # --- sampler ------------------------------------------------------------------------------------------

    def _from_sampler(self, remaining_s: float) -> Candidate | None:
        """Params for the algorithm that most deserves a trial."""
        drawn = 0
        for row in self._by_merit():
            defaults = Entry(row.key, row.defaults(self._shape.sampled(self._sample)), rows=self._sample)
            usual_s = self._seconds(defaults)
            limit_s = min(0.8 * remaining_s, max(DEARER * usual_s, LEAST_OF_REMAINING * remaining_s))
            if limit_s < LIGHTEST * usual_s:
                continue
            if drawn == MOST_DRAWN:
                break
            drawn += 1
            if limit_s <= self._in_vain.get(row.key, 0.0) * usual_s:
                continue
            number = self._next_number
            entry = self._draw(row, limit_s)
            if entry is not None:
                return self._propose(entry, "search", 0.95 * remaining_s, number)
            if limit_s < usual_s:
                self._in_vain[row.key] = limit_s / usual_s
        return None

    def _draw(self, row: Algorithm, limit_s: float) -> Entry | None:
        """A sample that fits the time, under the next number."""
        for _ in range(DRAWS):
            params = self._sampler.ask(self._next_number, row, self._shape)
            entry = Entry(row.key, params, rows=self._sample)
            if self._seconds(entry) <= limit_s:
                return entry
            self._sampler.drop(self._next_number)
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
        candidate = self._pending.pop(record.number, None)
        self._ended[record.number] = record
        self._costs.learn(record)
        if candidate is not None and record.state is TrialState.FAILED:
            self._learn_of_failure(candidate, record.seconds)
        if record.algorithm in self._rows:
            complete = record.state is TrialState.COMPLETE and record.score is not None
            teaches = complete and record.rows == self._sample and not self._sizes
            loss = self._loss(record) if teaches else None
            self._sampler.tell(record, self._rows[record.algorithm], self._shape, loss)

    def _learn_of_failure(self, candidate: Candidate, seconds: float) -> None:
        """What outran its time costs more than was thought; until there is a model, fewer rows will do."""
        if candidate.limit_s is None or seconds < candidate.limit_s:
            return
        self._costs.exceeded(candidate.algorithm, candidate.params, candidate.rows, seconds)
        if not self._has_model():
            self._sizes = self._sample = None

    def _remember(self, trial: TrialRecord | Candidate) -> None:
        """A trial of an earlier attempt: neither it nor its entry is tried again."""
        self._asked[trial.algorithm] += 1
        self._next_number = max(self._next_number, trial.number + 1)
        self._baseline_due = self._baseline_due and trial.stage != "baseline"
        self._entries = [entry for entry in self._entries if not _same(entry, trial)]


def _same(entry: Entry, trial: TrialRecord | Candidate) -> bool:
    """Whether a trial came from an entry, perhaps made lighter."""
    if (entry.algorithm, entry.rows, "portfolio") != (trial.algorithm, trial.rows, trial.stage):
        return False
    lightened = ("learning_rate", "rounds", "trees")
    return all(trial.params.get(k) == v for k, v in entry.changes.items() if k not in lightened)
