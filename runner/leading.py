"""The lead's side of a study on many machines: orders trials, judges the answers, orders anew what was lost.

All of it happens beside the lane, in a thread that reads, one that writes, and two that move what trials left
behind. While Redis is away the lane goes on alone, and nothing is concluded from the silence of the helpers.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from flowml.automl.candidate import Candidate
from flowml.runner import queue, roster
from flowml.runner.claims import Claims
from flowml.runner.helpers import Begun, Recalled, Waits
from flowml.runner.helpers import Word as Told
from flowml.runner.inviting import Invitations
from flowml.runner.journal import Past, past_of, trial_folder
from flowml.runner.lanes import Lanes
from flowml.runner.needs import CPU, GPU, Serves, as_cpu, on_gpu
from flowml.runner.outbox import Outbox
from flowml.runner.phase import Phase
from flowml.runner.progress import Rhythm
from flowml.runner.relay import Relay
from flowml.runner.routine import Routine
from flowml.runner.study import THE_LEAD, Answer, Held, LeadRecord, Order, Study, Word
from flowml.runner.team import Evaluated, Failed, Said
from flowml.storage.errors import FlowMLError, TrialCrashed
from flowml.storage.ids import new_id
from flowml.storage.records import Artifact, Json, Level, TrialRecord, TrialState

BLOCK_MS = 200
BEAT_S = 1.0
LOOK_S = 1.0
WORTH_S = 8.0  # of search that must be left for a helper to be worth its start
MOVERS = 2
MANY = 1_000
SEND_EVERY_S = 0.01

Write = Callable[[Redis], None]

log = logging.getLogger(__name__)


class Leading:
    """`place` tells lanes that share the work folder from others; `attempt` this lead from earlier ones."""

    def __init__(
        self,
        redis: Redis,
        study: Study,
        relay: Relay,
        invitations: Invitations,
        work: Path,
        attempt: int,
        lease_s: float,
    ) -> None:
        self._redis, self._study, self._relay, self._invitations = redis, study, relay, invitations
        self._work, self._attempt, self._lease_s = work, attempt, lease_s
        self._claims = Claims()
        self._lanes = Lanes()
        self._told: deque[Told] = deque()
        self._phase, self._left_s, self._used_s, self._beats = Phase.PAUSE, 0.0, 0.0, 0
        self._begun = self._went_on = self._apart = self._superseded = False
        self._kinds: tuple[str, ...] = ()  # of orders; each has its stream
        self._recall_for: Serves | None = None
        self._hopes: tuple[Serves, ...] = ()  # of workers that could join
        self._lines: list[Json] = []  # of the journal
        self._noted = 0  # so many of them are known to Redis
        self._read_to = "0"
        self._calm_since = time.monotonic()
        self._beat, self._look = Rhythm(BEAT_S), Rhythm(LOOK_S)
        self._out: Outbox[Write] = Outbox(self._write, f"orders of {study.job_id}", SEND_EVERY_S)
        self._movers = ThreadPoolExecutor(MOVERS, f"parcels of {study.job_id}")
        self._routine = Routine(f"lead of {study.job_id}", self._step)

    # --- what the lane asks -------------------------------------------------------------------------------

    def recover(self, past: Past) -> Past:
        before = self._study.lead(self._redis)
        self._open(CPU, *(before.kinds if before else ()))
        lines = self._study.journal(self._redis)
        known = past_of(lines)
        here = {record.number for record in past.records}
        told = {record.number for record in known.records}
        for record in past.records:
            if record.number not in told:
                self.ended(record)
        records = [*past.records]
        records += [
            each for each in known.records if each.number not in here and self._bring_back(each, lines)
        ]
        past = replace(
            past,
            used_s=max(past.used_s, known.used_s),
            records=tuple(records),
            asked=past.asked + known.asked,
        )
        return replace(past, **self._outstanding(past))

    def begin(self) -> None:
        self._begun = True
        self._routine.start()

    @property
    def has_room(self) -> bool:
        return any(self.room(kind) > 0 for kind in (CPU, *(f"{GPU}.{name}" for name in self._lanes.gpu)))

    def room(self, kind: str) -> int:
        if self._phase is not Phase.SEARCH:
            return 0
        places = self._lanes.places(kind)
        taken = self._claims.count(on_gpu) if on_gpu(kind) else len(self._claims)
        return places + max(1, places // 4) - taken if places else 0

    def may_serve(self, kind: str) -> bool:
        return self._lanes.serve(kind) or any(serves.kind(kind) for serves in self._hopes)

    def offer(self, candidate: Candidate, kind: str) -> None:
        order = Order(candidate.number, new_id("claim"), kind, candidate.to_dict())
        self._claims.put(order)
        self._out.put(partial(self._study.order, order=order))

    def recall(self, own: Serves) -> None:
        self._recall_for = own  # the routine takes it back

    def heard(self) -> Sequence[Told]:
        return [self._told.popleft() for _ in range(len(self._told))]

    def asked(self, candidate: Candidate) -> None:
        self._lines.append({"asked": candidate.to_dict()})
        self._note_lines()

    def ended(self, record: TrialRecord) -> None:
        self._lines.append({"trial": record.to_dict(), "used_s": self._used_s})
        self._note_lines()
        self._go_on(record)

    def _go_on(self, record: TrialRecord) -> None:
        """The first trial of this attempt: what lost machines counted against the job is forgotten."""
        if self._begun and not self._went_on and record.state is TrialState.COMPLETE:
            self._went_on = True
            self._out.put(partial(queue.went_on, job_id=self._study.job_id))

    def tell(self, phase: Phase, left_s: float, used_s: float) -> None:
        if phase is not self._phase:
            self._beat = Rhythm(BEAT_S)  # say it at once
        self._phase, self._left_s, self._used_s = phase, left_s, used_s
        if phase is Phase.OVER:
            self._claims.clear()

    def close(self) -> None:
        self._phase = Phase.OVER
        self._routine.stop()
        self._movers.shutdown(wait=False, cancel_futures=True)
        self._out.close(2.0)
        with suppress(RedisError):
            self._say()
            self._invitations.withdraw(self._redis)

    # --- an earlier attempt -------------------------------------------------------------------------------

    def _bring_back(self, record: TrialRecord, lines: Sequence[Json]) -> bool:
        """Whether an ended trial of another machine counts here; without its files it is evaluated again."""
        if record.state is not TrialState.COMPLETE or trial_folder(self._work, record.number).is_dir():
            return True
        parcels = [
            line.get("parcel") for line in lines if line.get("trial", {}).get("number") == record.number
        ]
        try:
            sent = next((Artifact.from_dict(each) for each in parcels if each), None)
            self._relay.bring(record.number, sent)
        except FlowMLError as error:
            number = record.number
            log.warning("Trial %d is evaluated again: %s", number, error, extra={"trial": number})
            return False
        return True

    def _outstanding(self, past: Past) -> Json:
        """The orders of an earlier lead: those that are still to be answered become ours."""
        ended = {record.number for record in past.records}
        asked, seen = list(past.asked), set[int]()
        waiting = [held for kind in self._kinds for held in self._study.outstanding(self._redis, kind)]
        for entry, order in reversed(waiting):
            if order.number in ended or order.number in seen:
                self._study.withdraw(self._redis, order.kind, entry)
                continue
            seen.add(order.number)
            self._claims.put(order)
            asked.append(Candidate.from_dict(order.candidate))
        return {"asked": tuple(asked), "elsewhere": frozenset(seen)}

    # --- the thread that reads ----------------------------------------------------------------------------

    def _step(self) -> float:
        try:
            if self._beat.due():
                self._say()
            if self._superseded:
                return BEAT_S
            answers = self._study.answers(self._redis, self._read_to, BLOCK_MS)
            if answers and self._has_successor():
                return BEAT_S
            for arrived in answers:
                self._read_to = arrived.id
                if arrived.answer is None:
                    self._out.put(partial(self._study.answered, id=arrived.id))
                else:
                    JUDGED[arrived.answer.word](self, arrived.id, arrived.answer)
            if self._recall_for is not None:
                own, self._recall_for = self._recall_for, None
                self._take_back([kind for kind in self._kinds if own.kind(as_cpu(kind))], 1)
            if self._look.due():
                self._survey()
        except RedisError:
            self._calm_since = time.monotonic()
            raise
        return 0.0

    def _say(self) -> None:
        if self._has_successor():
            return
        self._beats += 1
        record = LeadRecord(
            phase=self._phase,
            left_s=self._left_s,
            attempt=self._attempt,
            beat=self._beats,
            place=self._relay.place,
            work=str(self._work),
            kinds=self._kinds,
        )
        self._study.say(self._redis, record)

    def _has_successor(self) -> bool:
        """Whether a later attempt leads by now; what the lanes answer is for that one."""
        lead = self._study.lead(self._redis)
        self._superseded = lead is not None and lead.attempt > self._attempt
        return self._superseded

    def _survey(self) -> None:
        """Who is there, who was not heard from, and whom to invite."""
        now = time.monotonic()
        lanes = self._lanes.hear(self._study.lanes(self._redis), now)
        silent = lanes.silent(now - self._lease_s)
        for name in silent:
            self._study.forget_lane(self._redis, name)
        self._lanes = lanes.without(*silent)
        if now - self._calm_since > self._lease_s:
            for kind in self._kinds:
                for held in self._study.overdue(self._redis, kind, self._lease_s):
                    self._lost(held, "Its worker was not heard from")
        online = roster.online(self._redis)
        self._apart = self._apart or any(worker.place != self._relay.place for worker in online)
        self._hopes = self._invitations.hopes(online)
        for kind in self._kinds:
            if not self._lanes.places(kind) and self._claims.count(kind.__eq__):
                self._take_back([kind], MANY)
        if self._phase is Phase.SEARCH and self._left_s > WORTH_S:
            self._invitations.send(self._redis, online, self._lanes.heard)

    def _take_back(self, kinds: Sequence[str], count: int) -> None:
        """Orders that no lane has taken."""
        for entry, order in self._study.take(self._redis, kinds, THE_LEAD, count):
            if self._claims.find(order.number, order.claim):
                self._claims.end(order.number)
                self._told.append(Recalled(Candidate.from_dict(order.candidate)))
            self._out.put(partial(self._study.withdraw, kind=order.kind, entry=entry))

    # --- judging ------------------------------------------------------------------------------------------

    def _taken(self, id: str, answer: Answer) -> None:
        if self._claims.taken(answer.number, answer.claim, answer.lane):
            self._told.append(Begun(answer.number, answer.lane))
        self._out.put(partial(self._study.answered, id=id))

    def _ended(self, id: str, answer: Answer) -> None:
        """The first answer under the present claim counts; any other is refused."""
        if self._claims.arrives(answer.number, answer.claim):
            self._movers.submit(self._arrive, id, answer)
            return
        log.warning(
            "Trial %d: an answer of %s came too late and is refused",
            answer.number,
            answer.lane,
            extra={"trial": answer.number},
        )
        if answer.parcel is not None:
            self._movers.submit(self._relay.discard, answer.parcel)
        self._out.put(partial(self._drop, id=id, answer=answer))

    def _returned(self, id: str, answer: Answer) -> None:
        self._again_by(answer)
        self._out.put(partial(self._study.answered, id=id))

    def _left(self, id: str, answer: Answer) -> None:
        for kind in self._kinds:
            for held in self._study.held_by(self._redis, kind, answer.lane):
                self._lost(held, answer.cause)
        self._lanes = self._lanes.without(answer.lane)
        self._out.put(partial(self._study.answered, id=id))

    def _lost(self, held: Held, cause: str) -> None:
        """Unless its answer is here, and only what it left behind is still on its way."""
        found = self._claims.find(held.order.number, held.order.claim)
        if found is None or not found.arriving:
            self._again(held, cause)

    def _again_by(self, answer: Answer, cause: str = "") -> None:
        held = Held(answer.entry, Order(answer.number, answer.claim, answer.kind, {}))
        self._again(held, cause)

    def _again(self, held: Held, cause: str) -> None:
        """Orders a trial anew, with a cause where its lane was lost. Whoever had it finds it withdrawn."""
        entry, number, claim, kind = held.entry, held.order.number, held.order.claim, held.order.kind
        counted = self._claims.find(number, claim) is not None
        order = self._claims.again(number, claim, new_id("claim"), bool(cause))
        if order is not None:
            self._told.append(Waits(number, cause))
            self._out.put(partial(self._replace, kind=kind, entry=entry, order=order))
            return
        self._out.put(partial(self._study.withdraw, kind=kind, entry=entry))
        if counted:
            self._claims.end(number)
            advice = "Look at the logs of those workers; the trial may need more memory than they have."
            self._told.append(Failed(number, TrialCrashed(f"{cause}, for the third time.", advice)))

    def _arrive(self, id: str, answer: Answer) -> None:
        """Fetches what a trial left behind; only then it has ended."""
        record = answer.record
        assert record is not None
        try:
            if record.state is TrialState.COMPLETE:
                self._relay.bring(record.number, answer.parcel)
        except FlowMLError as error:
            self._told.append(Said(Level.WARNING, f"Its files did not arrive. {error}", record.number))
            self._again_by(answer, "Its files did not arrive")
            self._out.put(partial(self._study.answered, id=id))
            return
        self._claims.end(record.number)
        line = {
            "trial": record.to_dict(),
            "used_s": self._used_s,
            **({"parcel": answer.parcel.to_dict()} if answer.parcel else {}),
        }
        self._out.put(partial(self._settle, id=id, answer=answer, line=line))
        self._told.append(Evaluated(record))
        self._go_on(record)

    # --- the journal for a lead elsewhere -----------------------------------------------------------------

    def _note_lines(self) -> None:
        """Where another machine could take over, it must find what was done here. Only the lane calls it."""
        while self._apart and self._noted < len(self._lines):
            line = self._lines[self._noted]
            self._noted += 1
            if line.get("trial", {}).get("state") == TrialState.COMPLETE.value:
                with suppress(RuntimeError):  # closed meanwhile
                    self._movers.submit(self._note_with_files, line)
            else:
                self._out.put(partial(self._study.note, line=line))

    def _note_with_files(self, line: Json) -> None:
        number = line["trial"]["number"]
        try:
            sent = self._relay.send(trial_folder(self._work, number))
        except (FlowMLError, OSError) as error:
            log.warning("Trial %d is kept on this machine alone: %s", number, error, extra={"trial": number})
        else:
            self._out.put(partial(self._study.note, line={**line, "parcel": sent.to_dict()}))

    # --- the thread that writes ---------------------------------------------------------------------------

    def _write(self, batch: list[Write]) -> None:
        """All of it or nothing; what is sent twice does no harm."""
        self._open(*self._claims.kinds())
        with self._redis.pipeline(transaction=True) as pipeline:
            for write in batch:
                write(pipeline)
            pipeline.execute()

    def _open(self, *kinds: str) -> None:
        """Lanes hear of a kind once its stream is there."""
        for kind in kinds:
            if kind not in self._kinds:
                self._study.open(self._redis, kind)
                self._kinds = (*self._kinds, kind)
                self._beat = Rhythm(BEAT_S)

    def _settle(self, redis: Redis, id: str, answer: Answer, line: Json) -> None:
        self._study.note(redis, line)
        self._drop(redis, id, answer)

    def _drop(self, redis: Redis, id: str, answer: Answer) -> None:
        self._study.withdraw(redis, answer.kind, answer.entry)
        self._study.answered(redis, id)

    def _replace(self, redis: Redis, kind: str, entry: str, order: Order) -> None:
        self._study.withdraw(redis, kind, entry)
        self._study.order(redis, order)


JUDGED: dict[Word, Callable[[Leading, str, Answer], None]] = {
    Word.TAKEN: Leading._taken,
    Word.ENDED: Leading._ended,
    Word.RETURNED: Leading._returned,
    Word.LEFT: Leading._left,
}
