"""The lead of a study: asks the search what to try next, and ends with an exported model.

Its own trial children evaluate side by side, and so do helpers on other workers where there are some.
Whatever a trial does (run for ever, take all memory, crash), it is one failed row with a cause, and the
search goes on. The lane itself never runs a model library. The clock counts from the start of the job to the
finished model; the search ends early enough for the finish.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from flowml.automl.candidate import Candidate
from flowml.runner.closing import Closing
from flowml.runner.crew import Crew
from flowml.runner.helpers import Begun, Helpers, NoHelpers, Recalled, Waits, Word
from flowml.runner.journal import Journal
from flowml.runner.ledger import Ledger
from flowml.runner.limits import allowance
from flowml.runner.listener import LaneOutcome, Listener, Summary
from flowml.runner.needs import CPU, serves
from flowml.runner.phase import Phase
from flowml.runner.plan import CHILD_BYTES, divide
from flowml.runner.preflight import Preflight
from flowml.runner.progress import Progress, Rhythm
from flowml.runner.routing import Goes, Routing
from flowml.runner.slot import CHILD
from flowml.runner.team import Evaluated, Failed, Finished, Heard, Insured, Said, Task, Team, Unfinished
from flowml.runner.tiers import MEMORY_SHARE
from flowml.storage.errors import FlowMLError
from flowml.storage.records import (
    Capabilities,
    Control,
    DatasetSchema,
    Finding,
    JobSpec,
    JobState,
    Json,
    LeaderboardRow,
    Level,
    TrialRecord,
    TrialState,
)

__all__ = ["Lane", "LaneOutcome", "Listener", "Summary"]

POLL_S = 0.1  # how often memory is measured while children work
CONTROL_S = 0.25  # how often a wish of the user is looked for
TICK_S = 1.0  # how often progress is told and the used time written down
SHARE_S = 0.2  # at a time, to decide what helpers try next
AHEAD = 4  # candidates that may wait for a slot of ours while others are decided on
MOST_ASIDE = 16  # that may wait for a helper with more memory
SPARE_AFTER = 0.25  # of the budget, from when on a spare child stands by
SPARE_S = 4.0  # of search that must be left for it to be worth its start
BASELINE_S = 30.0  # for the very first trial, whatever the clock says: there shall be a model
FIRST_TRIAL_S = 10.0  # for others, as long as none is complete and the time is not over
CHECK_AFTER = 2  # trials: the baseline and one more
CHECK_S = 10.0  # at most, for the check when all that was to be tried is done
STOP_FINISH_S = 5.0  # for the finish, when the user asked to stop


class _Cancelled(Exception):
    """The user asked to cancel."""


class Lane:
    """`started` is when the job began (seconds since 1970); `cores` and `memory_limit` what it may use.

    `crew` may bring a child that is starting already; `child` is the command of the trial child. `checked` is
    what a check of the same job has found; None: it is made beside the search.
    """

    def __init__(
        self,
        table: Path,
        schema: DatasetSchema,
        spec: JobSpec,
        work: Path,
        listener: Listener,
        control: Callable[[], Control | None] = lambda: None,
        *,
        slots: int | None = None,
        cores: int | None = None,
        worker: str = "",
        memory_limit: int | None = None,
        started: float | None = None,
        crew: Crew | None = None,
        child: tuple[str, ...] = CHILD,
        helpers: Helpers | None = None,
        checked: tuple[Finding, ...] | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        machine = allowance()
        memory = memory_limit or int(machine.ram_available * MEMORY_SHARE)
        self._spec, self._work = spec, work
        self._listener, self._control, self._worker = listener, control, worker
        self._cores = min(cores or machine.cpus, spec.jobs or machine.cpus)
        self._plan = divide(schema.rows, len(schema.columns), self._cores, memory, slots)
        crew = crew or Crew(self._plan.threads, memory, child)
        crew.threads = self._plan.threads
        self._team = Team(crew, self._plan, Task(table, schema, spec), work)
        self._helpers = helpers or NoHelpers()
        one_trial = memory - (self._plan.slots - 1) * CHILD_BYTES
        cells = schema.rows * len(schema.columns)
        self._routing = Routing(serves(one_trial, capabilities), cells, self._helpers)
        self._preflight = Preflight(table, schema, spec, checked)
        self._journal = Journal(work, spec, schema)
        self._progress = Progress(listener, spec.budget_s, time.time() if started is None else started)
        self._budget = self._progress.budget
        self._ledger = Ledger((), self._plan.threads, worker)
        self._wish: Control | None = None
        self._champion: Json | None = None
        self._again: deque[Candidate] = deque()  # decided on earlier, and evaluated by nobody now
        self._mine: deque[Candidate] = deque()  # decided on ahead, for a slot of our own
        self._aside: deque[Candidate] = deque()  # too large for here; a helper that has room shall take them
        self._behind = False  # helpers have room for more than was decided on
        self._dry = False  # the search had nothing to give, and no trial ended since
        self._look, self._tick = Rhythm(CONTROL_S), Rhythm(TICK_S)

    # --- the way of a job ---------------------------------------------------------------------------------

    def run(self) -> LaneOutcome:
        try:
            self._prepare()
            self._search()
            self._finish()
            return self._outcome(JobState.STOPPED if self._wish is Control.STOP else JobState.FINISHED)
        except _Cancelled:
            return self._outcome(JobState.CANCELLED)
        except FlowMLError as error:
            return self._outcome(JobState.FAILED, error)
        finally:
            self._preflight.close()
            self._team.close()
            self._helpers.close()

    def _prepare(self) -> None:
        """Until the first child has the table. The others join the search as they become ready."""
        self._progress.stage("prepare", "Preparing the table")
        self._team.start()
        past = self._helpers.recover(self._journal.open())
        if past.used_s or past.records:
            self._ledger = Ledger(past.records, self._plan.threads, self._worker)
            self._progress.go_on_after(past.used_s)
            message = f"Going on with {len(past.records):,} trials after {past.used_s:.0f} s of work."
            self._listener.log(Level.INFO, message)
            self._listener.resumed(past.records)
        for candidate in past.pending:
            self._ledger.waits(candidate)
            if candidate.number not in past.elsewhere:
                self._again.append(candidate)
        import optuna  # noqa: F401  takes a while, and the children load their libraries in the meantime

        from flowml.automl.search import Search
        from flowml.automl.shape import Shape

        self._until(lambda: self._team.summary is not None)
        shape = Shape.from_dict(self._team.shape)
        self._searcher = Search(shape, self._spec, past.records, past.pending)
        self._routing.begin(shape)
        self._budget.know(shape, self._spec.max_size_bytes, self._cores)
        self._keep_time()
        self._listener.prepared(self._summary)
        if self._preflight.findings:
            self._listener.noticed(self._preflight.findings)

    def _search(self) -> None:
        """Keep every child at work until the time of the search is over, or there is nothing left to try."""
        self._progress.stage("search", "Searching")
        self._helpers.begin()
        while not self._search_is_over():
            self._give_work()
            self._share_work()
            self._keep_a_spare()
            self._turn()

    def _search_is_over(self) -> bool:
        if self._wish is Control.PAUSE:
            return False
        exhausted = self._dry and not self._ledger.open and not self._mine and not self._aside
        if not self._ledger.complete:
            if exhausted or (self._is_too_late() and not self._ledger.open):
                raise self._ledger.nothing_complete()
            return False  # the first trial is waited for, whatever the clock says
        return exhausted or self._wish is Control.STOP or self._budget.search_left() <= 0

    def _is_too_late(self) -> bool:
        """Whether the time is over and what was tried until then, the baseline at least, has failed."""
        return self._budget.search_left() <= 0 and self._ledger.has_failed and not self._again

    def _give_work(self) -> None:
        for slot in self._team.idle[: self._team.free]:
            left, candidate, device = self._next_here()
            if candidate is None:
                if self._dry and self._ledger.open:
                    self._helpers.recall(self._routing.own)
                return
            self._ledger.begin(candidate)
            self._team.evaluate(slot, candidate, left, device)
            self._listener.trial_started(candidate)

    def _next_here(self) -> tuple[float, Candidate | None, str]:
        """The next one that is for a slot of ours, and its device; others are sent on their way meanwhile."""
        for _ in range(MOST_ASIDE):
            left, candidate = self._next()
            if candidate is None:
                break
            device = self._route(candidate, here=True)
            if device is not None:
                return left, candidate, device
        return left, None, CPU

    def _share_work(self) -> None:
        """Keep candidates ahead of the helpers, once something is known to work here.

        Many lanes may use them up as fast as they are decided on: the clock and the user come in between.
        """
        for _ in range(len(self._aside)):
            self._route(self._aside.popleft(), here=False)
        until = time.monotonic() + SHARE_S
        while self._helpers.has_room and self._ledger.complete and len(self._mine) < AHEAD:
            if time.monotonic() > until:
                self._behind = True
                return
            _, candidate = self._next(mine=False)
            if candidate is None:
                return
            self._route(candidate, here=False)

    def _route(self, candidate: Candidate, *, here: bool) -> str | None:
        """The device, where it is for a slot of our own (if there is one: `here`); else it is on its way."""
        way = self._routing.way(candidate, here)
        match way.goes:
            case Goes.HERE:
                return way.device
            case Goes.THERE:
                self._ledger.offer(candidate)
                self._helpers.offer(candidate, way.device)
            case Goes.LATER:
                self._mine.append(candidate)
            case Goes.ASIDE:
                self._aside.append(candidate)
            case Goes.NOWHERE:
                self._ledger.begin(candidate)
                self._listener.trial_started(candidate)
                self._ended_here(self._failed(candidate.number, self._routing.too_large(candidate)))
        return None

    def _next(self, *, mine: bool = True) -> tuple[float, Candidate | None]:
        """The time that is left for trials, and what to try next, if anything: for us, or for a helper."""
        left = self._budget.search_left()
        if self._wish is Control.PAUSE or len(self._aside) >= MOST_ASIDE:
            return left, None
        if not self._ledger.complete:
            if (left <= 0 and self._ledger.running) or self._is_too_late():
                return left, None
            begun = self._ledger.records or self._ledger.running
            left = max(left, FIRST_TRIAL_S if begun else BASELINE_S)
        if mine and self._mine:
            return left, self._mine.popleft()
        if self._again:
            return left, self._again.popleft()
        candidate = None if self._dry else self._searcher.ask(left, self._budget.pace)
        self._dry = candidate is None
        if candidate is not None:
            self._journal.asked(candidate)
            self._helpers.asked(candidate)
        return left, candidate

    def _keep_a_spare(self) -> None:
        """One child more than there are trials: it builds the final model while the others may be busy, and
        takes over from a child that is lost. It costs what a start costs, so short jobs go without.
        """
        late_enough = self._budget.used() > SPARE_AFTER * self._spec.budget_s
        if late_enough and self._budget.search_left() > SPARE_S and self._ledger.complete:
            self._team.add_spare()

    def _finish(self) -> None:
        self._wait_for_the_check()
        self._progress.enter(JobState.FINISHING, self._ledger)
        self._progress.stage("finish", "Building the final model")
        left = self._budget.finish_left()
        limit_s = min(left, STOP_FINISH_S) if self._wish is Control.STOP else left
        found = self._preflight.findings or ()
        pace = self._budget.pace
        self._closing = Closing(self._work, self._listener, limit_s, self._cores, found, pace)
        self._team.finishing = True
        self._helpers.tell(Phase.OVER, 0.0, self._budget.used())
        for number in (*self._ledger.numbers, *self._ledger.waiting()):
            self._cut(number)
        records = list(self._ledger.records.values())
        free_slot = partial(self._team.free_slot, self._until)
        self._champion = self._closing.run(records, free_slot, self._until)

    def _wait_for_the_check(self) -> None:
        """A little, where the search ended before its time: the card is to say what was noticed."""
        until = time.monotonic() + min(CHECK_S, self._budget.search_left())
        if self._wish is not Control.STOP and time.monotonic() < until:
            self._preflight.start()
            self._until(lambda: not self._preflight.under_way or time.monotonic() > until)

    def _cut(self, number: int) -> None:
        """End a trial that the end of the search came upon."""
        self._team.cut(number)
        self._routing.cards.back(number)
        stopped = self._wish is Control.STOP
        cause = "The user stopped the search." if stopped else "The time for the search was over."
        self._ended_here(self._ledger.unfinished(number, TrialState.PRUNED, cause))

    # --- what happens -------------------------------------------------------------------------------------

    def _until(self, over: Callable[[], bool]) -> None:
        while not over():
            self._turn()

    def _turn(self) -> None:
        """Wait a little for the children, then look at the wish of the user and the clock."""
        wait_s, self._behind = 0.0 if self._behind else POLL_S, False
        for heard in self._team.turn(wait_s):
            self._hear(heard)
        for word in self._helpers.heard():
            self._hear_helper(word)
        if self._look.due():
            self._look_for_a_wish()
        if self._tick.due():
            self._journal.clock(self._progress.used_s())
            self._progress.tell(self._ledger)
            self._keep_time()
            self._look_at_the_check()

    def _keep_time(self) -> None:
        if self._progress.state is not JobState.FINISHING:
            self._budget.keep_pace(*self._team.pace())
            phase = Phase.PAUSE if self._wish is Control.PAUSE else Phase.SEARCH
            self._helpers.tell(phase, self._budget.search_left(), self._budget.used())

    def _look_at_the_check(self) -> None:
        """It begins once there is a model, which it shall not delay."""
        if len(self._ledger.records) >= CHECK_AFTER:
            self._preflight.start()
        if news := self._preflight.news():
            self._listener.noticed(news)

    def _hear(self, heard: Heard) -> None:
        match heard:
            case Said(level, text, number):
                self._listener.log(level, text, number)
            case Evaluated(record):
                self._ended_here(replace(record, worker=self._worker))
            case Failed(number, error):
                self._ended_here(self._failed(number, error))
            case Insured(slot, champion, folder):
                self._closing.insured(slot, champion, folder)
            case Finished(champion):
                self._closing.finished(champion)
            case Unfinished(error):
                self._closing.failed(error)

    def _hear_helper(self, word: Word) -> None:
        match word:
            case Said(level, text, number):
                self._listener.log(level, text, number)
            case Begun(number, worker):
                candidate = self._ledger.offered(number)
                if candidate is not None:
                    self._ledger.begin(candidate, worker)
                    self._listener.trial_started(candidate, worker)
            case Waits(number, cause):
                candidate = self._ledger.running_candidate(number)
                if candidate is not None:
                    self._lost(candidate, cause)
            case Recalled(candidate):
                self._routing.keep(candidate.number)
                self._again.append(candidate)
            case Evaluated(record) if self._ledger.knows(record.number):
                self._trial_ended(record)
            case Failed(number, error) if self._ledger.knows(number):
                failed = self._failed(number, error)
                self._helpers.ended(failed)
                self._trial_ended(failed)

    def _lost(self, candidate: Candidate, cause: str) -> None:
        """Lost is not failed: it runs again."""
        text = f"{cause or 'Its worker has left'}; the trial runs again."
        if cause:
            self._listener.log(Level.WARNING, text, candidate.number)
        lost = self._ledger.unfinished(candidate.number, TrialState.LOST, text)
        self._ledger.waits(candidate)
        self._listener.trial_finished(lost, self._ledger.best_score(self._summary.direction))

    def _failed(self, number: int, error: FlowMLError) -> TrialRecord:
        return self._ledger.unfinished(number, TrialState.FAILED, error.message, error.advice)

    def _ended_here(self, record: TrialRecord) -> None:
        self._helpers.ended(record)
        self._trial_ended(record)

    @property
    def _summary(self) -> Summary:
        assert self._team.summary is not None
        return self._team.summary

    def _trial_ended(self, record: TrialRecord) -> None:
        record = self._routing.ended(record)
        self._ledger.end(record)
        self._journal.ended(record, self._budget.used())
        self._searcher.tell(record)
        self._budget.learn(record)
        self._dry = False
        if record.state is TrialState.FAILED:
            from flowml.automl.algorithms import ALGORITHMS

            name = ALGORITHMS[record.algorithm].label
            self._listener.log(Level.WARNING, f"{name} failed. {record.cause}", record.number)
        self._listener.trial_finished(record, self._ledger.best_score(self._summary.direction))

    # --- the user, and the end ----------------------------------------------------------------------------

    def _look_for_a_wish(self) -> None:
        wish = self._control()
        if wish is Control.CANCEL:
            raise _Cancelled
        finishing = self._progress.state is JobState.FINISHING  # which is neither paused nor stopped
        if finishing or wish is self._wish or self._wish is Control.STOP:
            return
        self._wish = wish
        paused = wish is Control.PAUSE
        self._progress.enter(JobState.PAUSED if paused else JobState.RUNNING, self._ledger)
        self._keep_time()

    def _outcome(self, state: JobState, error: FlowMLError | None = None) -> LaneOutcome:
        champion = self._champion or {}
        return LaneOutcome(
            state=state,
            receipt=self._progress.receipt(self._ledger, champion),
            champion=self._champion,
            leaderboard=tuple(LeaderboardRow.from_dict(row) for row in champion.get("leaderboard", ())),
            cause=error.message if error else "",
            advice=error.advice if error else "",
            code=error.code if error else "",
            summary=self._team.summary,
            findings=self._preflight.findings or (),
            trials=tuple(self._ledger.records.values()),
        )
