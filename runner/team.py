"""The trial children that one machine gives to a study: they prepare its table, then evaluate its trials.

Both kinds of lane have a team: the lead, and each helper on another worker. What a child does badly is told
as a trial that failed; the team itself only gives up when no child can have the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flowml.runner.crew import Answered, Crew, Lost, Printed
from flowml.runner.crowding import Crowding
from flowml.runner.forkserver import may_fork
from flowml.runner.listener import Summary
from flowml.runner.needs import CPU
from flowml.runner.plan import Plan
from flowml.runner.slot import Doing, Slot
from flowml.storage.errors import FlowMLError, TrialError, error_of
from flowml.storage.records import DatasetSchema, JobSpec, Json, Level, Recipe, TrialRecord

if TYPE_CHECKING:
    from flowml.automl.candidate import Candidate

GRACE_S = 1.0  # a fit is told its deadline and may be a little late in noticing,
LATE = 0.1  # the more so the longer it takes
FALSE_STARTS = 3  # children that may be lost before the table is prepared
PREPARE_S = 120.0  # beyond the budget; a table that takes longer is not prepared

HAVE_TABLE = (Doing.IDLE, Doing.EVALUATING, Doing.FINISHING)
COMING = (Doing.STARTING, Doing.PREPARING)


@dataclass(frozen=True)
class Evaluated:
    record: TrialRecord


@dataclass(frozen=True)
class Failed:
    """A trial that did not come to an end by itself."""

    number: int
    error: FlowMLError


@dataclass(frozen=True)
class Insured:
    slot: Slot
    champion: Json
    folder: str


@dataclass(frozen=True)
class Finished:
    champion: Json


@dataclass(frozen=True)
class Blended:
    """How a champion scores that was blended again."""

    score: float
    fold_scores: tuple[float, ...]


@dataclass(frozen=True)
class Unfinished:
    """The final model was not built."""

    error: FlowMLError


@dataclass(frozen=True)
class Said:
    level: Level
    text: str
    number: int | None = None  # of the trial that it is about


Heard = Evaluated | Failed | Insured | Finished | Blended | Unfinished | Said


@dataclass(frozen=True)
class Task:
    """What every child of a study is given before its first trial."""

    table: Path
    schema: DatasetSchema
    spec: JobSpec


class Team:
    """`summary` and `shape` are there once the first child has the table."""

    def __init__(self, crew: Crew, plan: Plan, task: Task, work: Path) -> None:
        self.summary: Summary | None = None
        self.shape: Json = {}
        self.finishing = False  # a child that is lost then has no successor
        self._crew, self._plan, self._task, self._work = crew, plan, task, work
        self._numbers: dict[int, int] = {}  # slot -> number of its trial
        self._false_starts = 0
        self._began = False  # to evaluate
        self._crowding = Crowding()
        self._prepared_s = 0.0  # of its life that the last child which was ready for trials took until then

    def start(self) -> None:
        """Every slot gets a child; those that the crew has already count."""
        while len(self._crew.slots) < self._plan.slots:
            self._crew.add()

    def close(self) -> None:
        self._crew.close()

    @property
    def idle(self) -> list[Slot]:
        return self._crew.doing(Doing.IDLE)

    @property
    def busy(self) -> int:
        return len(self._crew.doing(Doing.EVALUATING))

    @property
    def free(self) -> int:
        """How many trials more may begin now: a spare child does not add to them.

        Where another child would be long in coming, one that has the table is kept for the finish.
        """
        kept = 0 if may_fork() or not self._began else 1
        return max(0, min(len(self.idle), self._plan.slots - self.busy, len(self.idle) - kept))

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the trials that run."""
        return tuple(self._numbers.values())

    def pace(self) -> tuple[float, float]:
        """Of what its children did of late, see `Crowding`; and the seconds until there would be a child for
        the finish, had one that works now to be ended for it.
        """
        self._crowding.look(self._crew.pids)
        spare = len(self._crew.doing(*HAVE_TABLE)) > self._plan.slots
        return self._crowding.pace, 0.0 if spare else self._prepared_s

    def add_spare(self) -> None:
        """One child more than there are trials, if there is none yet and memory for it."""
        if len(self._crew.slots) == self._plan.slots and self._crew.has_room:
            self._crew.add()

    def evaluate(self, slot: Slot, candidate: Candidate, left_s: float, device: str = CPU) -> None:
        limit_s = min(left_s, candidate.limit_s or left_s)
        self._began = True
        self._numbers[slot.index] = candidate.number
        slot.now(Doing.EVALUATING, limit_s, GRACE_S + LATE * limit_s)
        slot.send(
            "evaluate",
            candidate=candidate.to_dict(),
            work=str(self._work),
            deadline_s=limit_s,
            threads=self._plan.threads,
            device=device,
        )

    def blend(self, slot: Slot, recipe: Recipe, members: Sequence[TrialRecord], limit_s: float) -> None:
        """Puts a champion together from what its trials left in the work folder."""
        slot.now(Doing.FINISHING, limit_s)
        slot.send(
            "blend",
            recipe=recipe.to_dict(),
            records=[member.to_dict() for member in members],
            work=str(self._work),
            threads=self._plan.threads,
        )

    def cut(self, number: int) -> None:
        """Ends a trial; its child goes with it."""
        for slot in self._crew.slots:
            if self._numbers.get(slot.index) == number:
                self._crew.kill(slot)
                del self._numbers[slot.index]

    def replace(self) -> None:
        """Children in place of those that were cut."""
        for slot in self._crew.doing(Doing.NOTHING)[: self._plan.slots]:
            self._crew.restart(slot)

    def free_slot(self, until: Callable[[Callable[[], bool]], None]) -> Slot:
        """A child that has the table and nothing to do."""
        if not self._crew.doing(Doing.IDLE, *COMING):
            self._crew.add()
        until(lambda: bool(self.idle))
        return self.idle[0]

    def turn(self, timeout_s: float) -> Iterator[Heard]:
        """Waits a little for the children; what came of it. Raises what keeps all of them from the table."""
        for happening in self._crew.wait(timeout_s):
            match happening:
                case Printed(slot, line):
                    yield Said(Level.DEBUG, line, self._numbers.get(slot.index))
                case Answered(slot, answer):
                    yield from ANSWERS[answer["answer"]](self, slot, answer)
                case Lost(slot, error, doing):
                    yield from self._lost(slot, error, doing)

    # --- what a child says --------------------------------------------------------------------------------

    def _ready(self, slot: Slot, _answer: Json) -> Iterator[Heard]:
        slot.now(Doing.PREPARING, self._task.spec.budget_s + PREPARE_S)
        slot.send(
            "prepare",
            table=str(self._task.table),
            schema=self._task.schema.to_dict(),
            spec=self._task.spec.to_dict(),
            threads=self._plan.threads,
        )
        yield from ()

    def _prepared(self, slot: Slot, answer: Json) -> Iterator[Heard]:
        slot.now(Doing.IDLE)
        self._prepared_s = slot.age_s
        self._false_starts = 0
        if self.summary is None:
            self.shape = answer["shape"]
            self.summary = Summary.from_dict(answer["summary"])
        yield from ()

    def _evaluated(self, slot: Slot, answer: Json) -> Iterator[Heard]:
        slot.now(Doing.IDLE)
        del self._numbers[slot.index]
        yield Evaluated(TrialRecord.from_dict(answer["record"]))

    def _insured(self, slot: Slot, answer: Json) -> Iterator[Heard]:
        yield Insured(slot, answer["champion"], answer["folder"])

    def _finished(self, slot: Slot, answer: Json) -> Iterator[Heard]:
        slot.now(Doing.IDLE)
        yield Finished(answer["champion"])

    def _blended(self, slot: Slot, answer: Json) -> Iterator[Heard]:
        slot.now(Doing.IDLE)
        yield Blended(answer["score"], tuple(answer["fold_scores"]))

    def _erred(self, slot: Slot, answer: Json) -> Iterator[Heard]:
        error, doing = error_of(answer["code"], answer["message"], answer["advice"]), slot.doing
        if doing is Doing.PREPARING:
            self._crew.kill(slot)
            yield self._without_table(error)
            return
        slot.now(Doing.IDLE)
        yield Failed(self._numbers.pop(slot.index), error) if doing is Doing.EVALUATING else Unfinished(error)

    # --- what becomes of a child --------------------------------------------------------------------------

    def _lost(self, slot: Slot, error: TrialError, doing: Doing) -> Iterator[Heard]:
        """Its work gets a cause, and its slot another child."""
        if doing is Doing.FINISHING:
            yield Unfinished(error)
            return
        if doing is Doing.EVALUATING:
            yield Failed(self._numbers.pop(slot.index), error)
        else:
            yield Said(Level.WARNING, f"A trial child was lost while {doing}. {error}")
        if doing in COMING:
            self._false_starts += 1
            if self._false_starts >= FALSE_STARTS:
                yield self._without_table(error)
                return
        if not self.finishing or doing in COMING:
            self._crew.restart(slot)

    def _without_table(self, error: FlowMLError) -> Said:
        """Raises with the last child that could have the table; while there are others it goes on."""
        hopeful = self._crew.doing(*HAVE_TABLE, *(COMING if isinstance(error, TrialError) else ()))
        if not hopeful:
            raise error
        return Said(Level.WARNING, f"One trial child less: it could not prepare the table. {error}")


ANSWERS: dict[str, Callable[[Team, Slot, Json], Iterator[Heard]]] = {
    "ready": Team._ready,
    "prepared": Team._prepared,
    "evaluated": Team._evaluated,
    "insured": Team._insured,
    "finished": Team._finished,
    "blended": Team._blended,
    "error": Team._erred,
}
