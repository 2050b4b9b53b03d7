"""Writes facts to DuckDB: a thread of the studio, the only one that reads their stream.

A batch and the place in the stream where it ended are written in one transaction, so whatever is killed and
whenever, no fact is lost and none is applied twice. One that cannot be applied is set aside with its cause.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import duckdb
from redis import Redis
from redis.exceptions import RedisError

from flowml.runner import facts
from flowml.runner.facts import Arrived
from flowml.runner.routine import Routine
from flowml.storage import jobs, logs, models, offsets, seen, trials, workers
from flowml.storage.db import Cursor, Database
from flowml.storage.errors import Conflict, InputError, NotFound
from flowml.storage.records import (
    ENDED,
    Fact,
    FactKind,
    Job,
    LeaderboardRow,
    LogLine,
    Model,
    TrialRecord,
    Worker,
)

IDENTITY = "flowml:identity"
GATHER_S = 0.1  # facts that come in such a time are written together
WAIT_S = 0.3  # for the next one, before we look whether to stop
LOOK_UP_S = 5.0
REMEMBERED_S = 7 * 86_400  # ids of facts; no sender repeats one that long
LOGS_KEPT_S = 30 * 86_400
HOUSEKEEPING_S = 3600.0

log = logging.getLogger(__name__)


class Batch:
    """Facts on their way into one transaction. What need not keep its order is gathered and written once."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.lines: list[LogLine] = []
        self.best: dict[str, float | None] = {}  # of the jobs whose trials changed

    def close(self) -> None:
        logs.append(self.cursor, self.lines)
        for job_id, best in self.best.items():
            known = {} if best is None else {"best_score": best}
            jobs.update(self.cursor, job_id, trials=trials.count(self.cursor, job_id), **known)


def _job(batch: Batch, fact: Fact) -> None:
    """A change of a job: {"id", "changes": fields of Job}, and where it applies "leaderboard": rows, and
    "no_trial_runs": true.
    """
    cursor, id, changes = batch.cursor, str(fact.body["id"]), dict(fact.body["changes"])
    job = jobs.get(cursor, id)
    if job.started_at is not None:
        changes.pop("started_at", None)  # it began with its first attempt
    told = Job.from_dict({**job.to_dict(), **changes})
    changed = jobs.update(cursor, id, **{name: getattr(told, name) for name in changes})
    if fact.body.get("no_trial_runs"):
        trials.lose_running(cursor, id)
    if changed.state in ENDED and fact.body.get("leaderboard"):
        models.put_leaderboard(cursor, id, map(LeaderboardRow.from_dict, fact.body["leaderboard"]))


def _trial(batch: Batch, fact: Fact) -> None:
    """A trial as it stands: {"job_id", "record", "best_score": of the job by now}."""
    id, best = str(fact.body["job_id"]), fact.body.get("best_score")
    if id not in batch.best:
        jobs.get(batch.cursor, id)  # NotFound for a job that was deleted
    trials.upsert(batch.cursor, id, TrialRecord.from_dict(fact.body["record"]))
    batch.best[id] = batch.best.get(id) if best is None else float(best)


def _model(batch: Batch, fact: Fact) -> None:
    model = Model.from_dict(fact.body)
    jobs.get(batch.cursor, model.job_id)
    models.insert(batch.cursor, model)


def _worker(batch: Batch, fact: Fact) -> None:
    workers.upsert(batch.cursor, Worker.from_dict(fact.body))


def _log(batch: Batch, fact: Fact) -> None:
    batch.lines.append(LogLine.from_dict(fact.body))


Apply = Callable[[Batch, Fact], None]
APPLIED_BY: dict[FactKind, Apply] = {
    FactKind.JOB: _job,
    FactKind.TRIAL: _trial,
    FactKind.MODEL: _model,
    FactKind.WORKER: _worker,
    FactKind.LOG: _log,
}

# What a fact may be refused for; whatever else goes wrong (a full disk) is tried again.
REFUSABLE = (NotFound, Conflict, InputError, ValueError, KeyError, TypeError, AttributeError, duckdb.Error)


class Place(NamedTuple):
    stream: str  # with the identity of its Redis
    after: str  # id of the last entry that was applied
    looked_up_at: float


class Recorder:
    def __init__(self, redis: Redis, db: Database) -> None:
        self._redis = redis
        self._db = db
        self._known: Place | None = None
        self._kept_house_at = -HOUSEKEEPING_S
        self._routine = Routine("recorder", self._step)

    def start(self) -> None:
        self._routine.start()

    def stop(self) -> None:
        """Records what has arrived by now, unless Redis is away; then it waits there."""
        self._routine.stop()
        with suppress(RedisError):
            while self.record():
                pass

    def record(self) -> int:
        """Applies what waits in the stream, at most one batch; returns how many entries there were."""
        place = self._place()
        arrived = facts.read(self._redis, place.after)
        if not arrived:
            return 0
        self._known = None  # until it is written
        try:
            self._apply(place.stream, arrived)
        except REFUSABLE:
            for each in arrived:
                self._apply_or_refuse(place.stream, each)
        self._known = place._replace(after=arrived[-1].id)
        facts.trim(self._redis, arrived[-1].id)
        return len(arrived)

    def _place(self) -> Place:
        """Where to read on. Looked up anew now and then, for Redis may have been replaced by another."""
        if self._known is None or time.monotonic() - self._known.looked_up_at > LOOK_UP_S:
            stream = f"{facts.STREAM}@{self._identity()}"
            with self._db.read() as cursor:
                self._known = Place(stream, offsets.get(cursor, stream), time.monotonic())
        return self._known

    def _apply(self, stream: str, arrived: Sequence[Arrived]) -> None:
        """All of them and the place in the stream, or nothing."""
        if any(each.fact is None for each in arrived):
            raise ValueError("An entry of the stream is no fact.")
        found = {each.fact.id: each.fact for each in arrived if each.fact is not None}

        def change(cursor: Cursor) -> None:
            known, batch = seen.known(cursor, found), Batch(cursor)
            for fact in found.values():
                if fact.id not in known:
                    APPLIED_BY[fact.kind](batch, fact)
            batch.close()
            seen.mark(cursor, found, time.time())
            offsets.put(cursor, stream, arrived[-1].id)

        self._db.transact(change, passing=True)  # a new model changes nothing of those that are known

    def _apply_or_refuse(self, stream: str, arrived: Arrived) -> None:
        try:
            self._apply(stream, [arrived])
        except REFUSABLE as error:
            cause = f"{type(error).__name__}: {error}"
            log.warning("A fact is set aside in %s: %s", facts.REFUSED, cause)
            facts.refuse(self._redis, arrived, cause)
            self._db.transact(lambda cursor: offsets.put(cursor, stream, arrived.id))

    def _identity(self) -> str:
        """Tells one Redis, and one life of its contents, from another, where an entry's id means nothing."""
        self._redis.set(IDENTITY, uuid.uuid4().hex, nx=True)
        return _text(self._redis.get(IDENTITY))

    def _step(self) -> float:
        recorded = self.record()
        self._keep_house()
        if not recorded:
            facts.wait(self._redis, self._place().after, WAIT_S)
            return 0.0
        return GATHER_S if recorded < facts.MOST_READ else 0.0

    def _keep_house(self) -> None:
        if time.monotonic() - self._kept_house_at < HOUSEKEEPING_S:
            return
        self._kept_house_at = time.monotonic()
        with self._db.write(passing=True) as cursor:
            seen.drop_before(cursor, time.time() - REMEMBERED_S)
            logs.drop_before(cursor, time.time() - LOGS_KEPT_S)


def _text(value: bytes | str | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
