"""A helping lane: evaluates trials of a study that another worker leads, while it has nothing else to do.

It has the table and its encodings warm, takes order after order, and answers each once. What it has not begun
or cannot end goes back to the lead: when a job of a user waits, when the worker stops, when the lead says so.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from flowml.automl.candidate import Candidate
from flowml.runner.attending import Attending
from flowml.runner.crew import Crew
from flowml.runner.journal import trial_folder
from flowml.runner.ledger import Ledger
from flowml.runner.limits import allowance
from flowml.runner.needs import CPU, Cards, on_gpu, serves
from flowml.runner.outbox import Outbox
from flowml.runner.plan import CHILD_BYTES, divide
from flowml.runner.relay import Relay
from flowml.runner.report import LEVELS
from flowml.runner.slot import CHILD
from flowml.runner.study import Answer, Held, LaneRecord, Study, Word
from flowml.runner.taking import Taker
from flowml.runner.team import Evaluated, Failed, Heard, Said, Task, Team
from flowml.runner.tiers import MEMORY_SHARE
from flowml.runner.workplace import Workplace
from flowml.storage.errors import FlowMLError
from flowml.storage.records import TrialRecord, TrialState

POLL_S = 0.05
SEND_EVERY_S = 0.01
FLUSH_S = 5.0

log = logging.getLogger("flowml.job")


class Helper:
    """`own` is a folder for this lane alone; `child` the command of a trial child."""

    def __init__(
        self,
        place: Workplace,
        redis: Redis,
        study: Study,
        task: Task,
        relay: Relay,
        own: Path,
        child: tuple[str, ...] = CHILD,
    ) -> None:
        machine = allowance()
        memory = place.memory_limit or int(machine.ram_available * MEMORY_SHARE)
        cores = min(place.cores or machine.cpus, task.spec.jobs or machine.cpus)
        self._plan = divide(task.schema.rows, len(task.schema.columns), cores, memory, place.slots)
        self._serves = serves(memory - (self._plan.slots - 1) * CHILD_BYTES, place.capabilities)
        self._cards = Cards(self._serves.cards)
        self._name, self._redis, self._study, self._relay, self._own = place.worker, redis, study, relay, own
        self._team = Team(Crew(self._plan.threads, memory, child), self._plan, task, own)
        self._ledger = Ledger((), self._plan.threads, place.worker)
        self._held: dict[int, Held] = {}  # by the number of the trial
        self._is_ready = False
        lane = LaneRecord(place.worker, slots=0, beat=0, place=relay.place, serves=self._serves)
        taker = Taker(place.worker, place.job_memory)
        self._attending = Attending(redis, study, lane, place.queues, taker, place.settings.lease)
        self._out: Outbox[Answer] = Outbox(self._send, f"answers of {place.worker}", SEND_EVERY_S)
        self._mover = ThreadPoolExecutor(1, "parcels")

    def run(self) -> str:
        """Helps until there is a reason to leave, which it returns."""
        self._attending.start()
        try:
            self._team.start()
            while not self._attending.leave:
                self._take()
                for heard in self._team.turn(POLL_S):
                    self._hear(heard)
                for held in self._attending.lost():
                    self._lost(held)
            return self._attending.leave
        except FlowMLError as error:
            return f"It cannot help. {error}"
        finally:
            self._leave()

    def _leave(self) -> None:
        self._team.close()
        for held in tuple(self._held.values()):
            self._answer(Word.RETURNED, held)
        self._mover.shutdown(wait=True)  # what has ended is still told
        self._out.close(FLUSH_S)
        self._attending.close()
        self._study.leave(self._redis, self._name)

    def _take(self) -> None:
        left_s, lead = self._attending.left_s, self._attending.lead
        if self._team.summary is None or lead is None:
            return
        if not self._is_ready:
            self._is_ready = True
            self._attending.ready(self._plan.slots)
        free = self._team.free if left_s > 0 else 0
        kinds = self._serves.of(lead.kinds)
        for some, most in (
            ([kind for kind in kinds if on_gpu(kind)], self._cards.free),
            ([kind for kind in kinds if not on_gpu(kind)], free),
        ):
            count = min(free, most)
            if count:
                try:
                    taken = self._study.take(self._redis, some, self._name, count)
                except RedisError as away:  # or the study is over; the other thread sees which
                    log.debug("No order can be taken: %s", away)
                    return
                free -= len(taken)
                for held in taken:
                    self._begin(held, left_s)

    def _begin(self, held: Held, left_s: float) -> None:
        candidate = Candidate.from_dict(held.order.candidate)
        if candidate.number in self._held:  # sent twice
            self._study.withdraw(self._redis, held.order.kind, held.entry)
            return
        self._held[candidate.number] = held
        self._attending.hold(held)
        self._ledger.begin(candidate)
        device = self._cards.give(candidate.number) if on_gpu(held.order.kind) else CPU
        self._team.evaluate(self._team.idle[0], candidate, left_s, device)
        self._answer(Word.TAKEN, held)

    def _hear(self, heard: Heard) -> None:
        match heard:
            case Said(level, text, number):
                log.log(LEVELS[level], "%s", text, extra={"trial": number})
            case Evaluated(record):
                self._ended(replace(record, worker=self._name))
            case Failed(number, error):
                self._ended(self._ledger.unfinished(number, TrialState.FAILED, error.message, error.advice))

    def _ended(self, record: TrialRecord) -> None:
        self._ledger.end(record)
        self._cards.back(record.number)
        held = self._held.pop(record.number, None)
        if held is not None:
            self._mover.submit(self._deliver, held, record)

    def _deliver(self, held: Held, record: TrialRecord) -> None:
        """The answer follows what the trial left behind, so that the lead finds it."""
        lead, folder = self._attending.lead, trial_folder(self._own, record.number)
        assert lead is not None
        try:
            complete = record.state is TrialState.COMPLETE
            sent = self._relay.hand_over(folder, record.number, lead.work, lead.place) if complete else None
        except FlowMLError as error:
            number = record.number
            log.warning(
                "What trial %d left behind cannot be sent. %s", number, error, extra={"trial": number}
            )
            self._answer(Word.RETURNED, held)
        else:
            self._answer(Word.ENDED, held, record=record, parcel=sent)
        self._attending.let_go(held)

    def _lost(self, held: Held) -> None:
        """The lead gave it to somebody else, or does not want it any more."""
        if self._held.get(held.order.number) == held:
            del self._held[held.order.number]
            self._ledger.forget(held.order.number)
            self._cards.back(held.order.number)
            self._team.cut(held.order.number)
            self._team.replace()

    def _answer(self, word: Word, held: Held, **more: object) -> None:
        entry, order = held
        self._out.put(
            Answer(word, self._name, order.number, order.claim, order.kind, entry, **more)  # type: ignore[arg-type]
        )

    def _send(self, batch: list[Answer]) -> None:
        with self._redis.pipeline(transaction=True) as pipeline:
            for answer in batch:
                self._study.answer(pipeline, answer)
            pipeline.execute()
