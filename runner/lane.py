"""A lane: leads one study on one machine.

It asks the search what to try next, has trial children evaluate it side by side, and ends with an exported
model. Whatever a trial does (run for ever, take all memory, crash), it is one failed row with a cause, and
the search goes on. The lane itself never runs a model library. The clock counts from the start of the job to
the finished model; the search ends early enough for the finish.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flowml.runner.closing import Closing
from flowml.runner.crew import Answered, Crew, Happening, Lost, Printed
from flowml.runner.journal import Journal
from flowml.runner.ledger import Ledger
from flowml.runner.limits import allowance
from flowml.runner.listener import LaneOutcome, Listener, Summary
from flowml.runner.plan import divide
from flowml.runner.progress import Progress, Rhythm
from flowml.runner.slot import CHILD, Doing, Slot
from flowml.storage.errors import FlowMLError, TrialError, error_of
from flowml.storage.records import (
    Control,
    DatasetSchema,
    JobSpec,
    JobState,
    Json,
    LeaderboardRow,
    Level,
    TrialRecord,
    TrialState,
)

if TYPE_CHECKING:
    from flowml.automl.candidate import Candidate

__all__ = ["Lane", "LaneOutcome", "Listener", "Summary"]

POLL_S = 0.1  # how often memory is measured while children work
CONTROL_S = 0.25  # how often a wish of the user is looked for
TICK_S = 1.0  # how often progress is told and the used time written down
GRACE_S = 1.0  # a fit is told its deadline and may be a little late in noticing,
LATE = 0.1  # the more so the longer it takes
SPARE_AFTER = 0.25  # of the budget, from when on a spare child stands by
SPARE_S = 4.0  # of search that must be left for it to be worth its start
MEMORY_SHARE = 0.85  # of the memory that is free at the start, unless a limit is given
FALSE_STARTS = 3  # children that may be lost before the table is prepared
PREPARE_S = 120.0  # beyond the budget; a table that takes longer is not prepared
FIRST_TRIAL_S = 10.0  # for the first trials, when the budget is used up before one is complete
STOP_FINISH_S = 5.0  # for the finish, when the user asked to stop

HAVE_TABLE = (Doing.IDLE, Doing.EVALUATING, Doing.FINISHING)
COMING = (Doing.STARTING, Doing.PREPARING)


class _Cancelled(Exception):
    """The user asked to cancel."""


class Lane:
    """`started` is when the job began (seconds since 1970); `cores` and `memory_limit` what it may use.

    `crew` may bring a child that is starting already; `child` is the command of the trial child.
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
    ) -> None:
        machine = allowance()
        memory = memory_limit or int(machine.ram_available * MEMORY_SHARE)
        self._table, self._schema, self._spec, self._work = table, schema, spec, work
        self._listener, self._control, self._worker = listener, control, worker
        self._cores = min(cores or machine.cpus, spec.jobs or machine.cpus)
        self._plan = divide(schema.rows, len(schema.columns), self._cores, memory, slots)
        self._crew = crew or Crew(self._plan.threads, memory, child)
        self._crew.threads = self._plan.threads
        self._journal = Journal(work, spec, schema)
        self._progress = Progress(listener, spec.budget_s, time.time() if started is None else started)
        self._budget = self._progress.budget
        self._ledger = Ledger((), self._plan.threads, worker)
        self._wish: Control | None = None
        self._summary: Summary | None = None
        self._champion: Json | None = None
        self._false_starts = 0
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
            self._crew.close()

    def _prepare(self) -> None:
        """Until the first child has the table. The others join the search as they become ready."""
        self._progress.stage("prepare", "Preparing the table")
        while len(self._crew.slots) < self._plan.slots:
            self._crew.add()
        past = self._journal.open()
        if past.used_s:
            self._ledger = Ledger(past.records, self._plan.threads, self._worker)
            self._progress.go_on_after(past.used_s)
            message = f"Going on with {len(past.records)} trials after {past.used_s:.0f} s of work."
            self._listener.log(Level.INFO, message)
        import optuna  # noqa: F401  takes a while, and the children load their libraries in the meantime

        from flowml.automl.search import Search
        from flowml.automl.shape import Shape

        self._until(lambda: self._summary is not None)
        assert self._summary is not None
        self._searcher = Search(Shape.from_dict(self._shape), self._spec, past.records)
        self._listener.prepared(self._summary)

    def _search(self) -> None:
        """Keep every child at work until the time of the search is over, or there is nothing left to try."""
        self._progress.stage("search", "Searching")
        while not self._search_is_over():
            self._give_work()
            self._keep_a_spare()
            self._turn()

    def _search_is_over(self) -> bool:
        if self._wish is Control.PAUSE:
            return False
        exhausted = self._dry and not self._ledger.running
        if not self._ledger.complete:
            if exhausted:
                raise self._ledger.nothing_complete()
            return False  # the first trial is waited for, whatever the clock says
        return exhausted or self._wish is Control.STOP or self._budget.search_left() <= 0

    def _give_work(self) -> None:
        for slot in self._crew.doing(Doing.IDLE):
            if self._dry or self._wish is Control.PAUSE or self._ledger.running >= self._plan.slots:
                return
            left = self._budget.search_left()
            if not self._ledger.complete:
                if left <= 0 and self._ledger.running:
                    return
                left = max(left, FIRST_TRIAL_S)
            candidate = self._searcher.ask(left)
            if candidate is None:
                self._dry = True
            else:
                self._evaluate(slot, candidate, left)

    def _keep_a_spare(self) -> None:
        """One child more than there are trials: it builds the final model while the others may be busy, and
        takes over from a child that is lost. It costs what a start costs, so short jobs go without.
        """
        late_enough = self._budget.used() > SPARE_AFTER * self._spec.budget_s
        worth_it = self._budget.search_left() > SPARE_S and self._ledger.complete
        if late_enough and worth_it and len(self._crew.slots) == self._plan.slots and self._crew.has_room:
            self._crew.add()

    def _evaluate(self, slot: Slot, candidate: Candidate, left: float) -> None:
        self._ledger.begin(slot.index, candidate)
        limit_s = min(left, candidate.limit_s or left)
        slot.now(Doing.EVALUATING, limit_s, GRACE_S + LATE * limit_s)
        slot.send(
            "evaluate",
            candidate=candidate.to_dict(),
            work=str(self._work),
            deadline_s=limit_s,
            threads=self._plan.threads,
        )
        self._listener.trial_started(candidate)

    def _finish(self) -> None:
        self._progress.enter(JobState.FINISHING, self._ledger)
        self._progress.stage("finish", "Building the final model")
        left = self._budget.remaining()
        limit_s = min(left, STOP_FINISH_S) if self._wish is Control.STOP else left
        self._closing = Closing(self._work, self._listener, limit_s, self._cores)
        for busy in self._crew.doing(Doing.EVALUATING):
            self._cut(busy)
        records = list(self._ledger.records.values())
        self._champion = self._closing.run(records, self._free_slot, self._until)

    def _free_slot(self) -> Slot:
        """A child that has the table and nothing to do."""
        if not self._crew.doing(Doing.IDLE, *COMING):
            self._crew.add()
        self._until(lambda: bool(self._crew.doing(Doing.IDLE)))
        return self._crew.doing(Doing.IDLE)[0]

    def _cut(self, slot: Slot) -> None:
        """End a trial that the end of the search came upon."""
        self._crew.kill(slot)
        stopped = self._wish is Control.STOP
        cause = "The user stopped the search." if stopped else "The time for the search was over."
        self._trial_ended(slot, self._ledger.unfinished(slot.index, TrialState.PRUNED, cause))

    # --- what happens -------------------------------------------------------------------------------------

    def _until(self, over: Callable[[], bool]) -> None:
        while not over():
            self._turn()

    def _turn(self) -> None:
        """Wait a little for the children, then look at the wish of the user and the clock."""
        for happening in self._crew.wait(POLL_S):
            self._hear(happening)
        if self._look.due():
            self._look_for_a_wish()
        if self._tick.due():
            self._journal.clock(self._budget.used())
            self._progress.tell(self._ledger)

    def _hear(self, happening: Happening) -> None:
        match happening:
            case Printed(slot, line):
                self._listener.log(Level.DEBUG, line, self._ledger.trial_in(slot.index))
            case Answered(slot, answer):
                ANSWERS[answer["answer"]](self, slot, answer)
            case Lost(slot, error, doing):
                self._child_lost(slot, error, doing)

    def _child_is_ready(self, slot: Slot, _answer: Json) -> None:
        slot.now(Doing.PREPARING, self._spec.budget_s + PREPARE_S)
        slot.send(
            "prepare",
            table=str(self._table),
            schema=self._schema.to_dict(),
            spec=self._spec.to_dict(),
            threads=self._plan.threads,
        )

    def _child_has_the_table(self, slot: Slot, answer: Json) -> None:
        slot.now(Doing.IDLE)
        self._false_starts = 0
        if self._summary is None:
            self._shape = answer["shape"]
            self._summary = Summary.from_dict(answer["summary"])

    def _trial_evaluated(self, slot: Slot, answer: Json) -> None:
        slot.now(Doing.IDLE)
        self._trial_ended(slot, replace(TrialRecord.from_dict(answer["record"]), worker=self._worker))

    def _model_insured(self, slot: Slot, answer: Json) -> None:
        self._closing.insured(slot, answer["champion"])

    def _study_finished(self, slot: Slot, answer: Json) -> None:
        slot.now(Doing.IDLE)
        self._closing.finished(answer["champion"])

    def _child_erred(self, slot: Slot, answer: Json) -> None:
        error, doing = error_of(answer["code"], answer["message"], answer["advice"]), slot.doing
        if doing is Doing.PREPARING:
            self._crew.kill(slot)
            self._table_refused(error)
            return
        slot.now(Doing.IDLE)
        if doing is Doing.EVALUATING:
            self._trial_failed(slot, error)
        else:
            self._closing.failed(error)

    def _child_lost(self, slot: Slot, error: TrialError, doing: Doing) -> None:
        """Its work gets a cause, and its slot another child."""
        if doing is Doing.FINISHING:
            self._closing.failed(error)
            return
        if doing is Doing.EVALUATING:
            self._trial_failed(slot, error)
        else:
            self._listener.log(Level.WARNING, f"A trial child was lost while {doing}. {error}")
        if doing in COMING:
            self._false_starts += 1
            if self._false_starts >= FALSE_STARTS:
                self._table_refused(error)
                return
        if self._progress.state is not JobState.FINISHING or doing in COMING:
            self._crew.restart(slot)

    def _table_refused(self, error: FlowMLError) -> None:
        """The job fails with the last child that could have the table; while there are others it goes on."""
        hopeful = self._crew.doing(*HAVE_TABLE, *(COMING if isinstance(error, TrialError) else ()))
        if not hopeful:
            raise error
        self._listener.log(Level.WARNING, f"One trial child less: it could not prepare the table. {error}")

    def _trial_failed(self, slot: Slot, error: FlowMLError) -> None:
        self._trial_ended(
            slot, self._ledger.unfinished(slot.index, TrialState.FAILED, error.message, error.advice)
        )

    def _trial_ended(self, slot: Slot, record: TrialRecord) -> None:
        self._ledger.end(slot.index, record)
        self._journal.ended(record, self._budget.used())
        self._searcher.tell(record)
        self._budget.learn(record)
        self._dry = False
        if record.state is TrialState.FAILED:
            self._listener.log(Level.WARNING, f"{record.algorithm} failed. {record.cause}", record.number)
        assert self._summary is not None
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
            summary=self._summary,
        )


ANSWERS: dict[str, Callable[[Lane, Slot, Json], None]] = {
    "ready": Lane._child_is_ready,
    "prepared": Lane._child_has_the_table,
    "evaluated": Lane._trial_evaluated,
    "insured": Lane._model_insured,
    "finished": Lane._study_finished,
    "error": Lane._child_erred,
}
