"""Sees to it that no job stays behind: a thread of the studio.

A job whose lease has expired is lost and runs again. One that a worker took and never began goes back to its
queue. And what the database knows as unfinished is compared with what Redis knows: a job that Redis forgot is
queued again, one that Redis gave up has failed. Whatever looks wrong must look so for a while, for a job may
be on its way from one place to the next, or the fact that explains it on its way to the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from redis import Redis
from rq.job import Job as RqJob
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry

from flowml.runner import facts, queue, roster, transfer, workfolder
from flowml.runner.queue import FlowJob, Place
from flowml.runner.routine import Routine
from flowml.runner.settings import Settings
from flowml.runner.submission import enqueue_job
from flowml.runner.tiers import HELP_QUEUE, QUEUES
from flowml.storage import jobs, workers
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.records import ACTIVE, FactKind, Job, JobKind, JobState

INTERVAL_S = 3.0
SURE_S = 8.0  # what looks wrong for so long is wrong
HOUSEKEEPING_S = 60.0
MANY_FACTS = 1_000  # the database is behind; nothing is concluded from it
MOST_JOBS = 10_000

Mend: TypeAlias = Callable[[], object]

log = logging.getLogger(__name__)


class Reaper:
    def __init__(
        self,
        redis: Redis,
        db: Database,
        datasets: Datasets,
        settings: Settings,
        interval_s: float = INTERVAL_S,
        sure_s: float = SURE_S,
    ) -> None:
        self._redis = redis
        self._db = db
        self._datasets = datasets
        self._settings = settings
        self._interval_s = interval_s
        self._sure_s = sure_s
        self._suspected: dict[tuple[str, str], float] = {}  # (job, what looks wrong) -> since when
        self._kept_house_at = -HOUSEKEEPING_S
        self._routine = Routine("reaper", self._step)

    def start(self) -> None:
        self._routine.start()

    def stop(self) -> None:
        self._routine.stop()

    def reap(self) -> None:
        """One round. Does nothing until Redis is up for the length of a lease: workers renew theirs first."""
        if int(self._redis.info("server")["uptime_in_seconds"]) < self._settings.lease:
            return
        for name in (*QUEUES, HELP_QUEUE):
            self._expire_leases(name)
        suspects = {**self._taken(), **self._differing()}
        now = time.monotonic()
        self._suspected = {key: self._suspected.get(key, now) for key in suspects}
        for key, mend in suspects.items():
            if now - self._suspected[key] >= self._sure_s:
                mend()
                del self._suspected[key]

    def _step(self) -> float:
        self.reap()
        if time.monotonic() - self._kept_house_at > HOUSEKEEPING_S:
            self._keep_house()
            self._kept_house_at = time.monotonic()
        return self._interval_s

    # --- leases -------------------------------------------------------------------------------------------

    def _expire_leases(self, name: str) -> None:
        """RQ queues an abandoned job again, or fails it when it was abandoned too often."""
        registry = StartedJobRegistry(name, connection=self._redis, job_class=FlowJob, serializer="json")
        seconds, microseconds = self._redis.time()
        registry.cleanup(int(seconds) + int(microseconds) / 1e6, [self._lose])

    def _lose(self, job: RqJob, *_: Any) -> None:
        """Told before RQ queues it, and so before anybody tells that it runs again. Help has no successor."""
        if queue.helped(job.id):
            return
        cause = f"Worker {job.worker_name} was not heard from; the job runs again."
        log.warning("Job %s is lost. %s", job.id, cause, extra={"job_id": job.id})
        self._tell(job.id, JobState.LOST, cause)

    def _taken(self) -> dict[tuple[str, str], Mend]:
        """Jobs that a worker took and did not begin."""
        return {
            (job_id, "taken"): partial(queue.put_back, self._redis, name, job_id)
            for name in (*QUEUES, HELP_QUEUE)
            for job_id in queue.taken(self._redis, name)
        }

    # --- database and Redis -------------------------------------------------------------------------------

    def _differing(self) -> dict[tuple[str, str], Mend]:
        """Jobs of which the database and Redis know different things."""
        if facts.waiting(self._redis) > MANY_FACTS:
            return {}
        with self._db.read() as cursor:
            unfinished = jobs.list_(cursor, states=ACTIVE, limit=MOST_JOBS)
        differing: dict[tuple[str, str], Mend] = {}
        for job in unfinished:
            place = queue.place(self._redis, job.queue, job.id)
            for rule in RULES:
                if place in rule.places and job.state in rule.states:
                    differing[job.id, rule.name] = partial(rule.mend, self, job)
        return differing

    def _queue_again(self, job: Job) -> None:
        """What Redis forgot, or holds without ever running it."""
        if facts.has_ended(self._redis, job.id):
            return
        log.warning("Job %s was in no queue and is queued again", job.id, extra={"job_id": job.id})
        self._tell(job.id, JobState.QUEUED, "")
        queue.forget(self._redis, job.id)
        of_table = job.kind in (JobKind.TRAINING, JobKind.VERIFICATION)
        enqueue_job(self._redis, job, self._datasets.get(job.spec.dataset_id) if of_table else None)

    def _fail(self, job: Job) -> None:
        cause = queue.failure(self._redis, job.id) or "It ended without telling how."
        attempts = f"It was given up after {queue.LOST_MACHINES + 1} attempts. Last: {cause}"
        log.error("Job %s has failed. %s", job.id, attempts, extra={"job_id": job.id})
        self._tell(job.id, JobState.FAILED, attempts)

    def _waits(self, job: Job) -> None:
        self._tell(job.id, JobState.QUEUED, "Its process ended unexpectedly; the job runs again.")

    def _runs(self, job: Job) -> None:
        self._tell(job.id, JobState.RUNNING, "")

    def _tell(self, job_id: str, state: JobState, cause: str) -> None:
        changes = {"state": state.value, "cause": cause}
        if state is not JobState.RUNNING:
            changes["worker"] = ""
        ended = {"ended_at": time.time()} if state is JobState.FAILED else {}
        body = {"id": job_id, "changes": changes | ended, "no_trial_runs": state is not JobState.RUNNING}
        facts.add(self._redis, facts.new_fact(FactKind.JOB, body))

    # --- housekeeping -------------------------------------------------------------------------------------

    def _keep_house(self) -> None:
        """Remembers who is online, and forgets what nobody asks for any more."""
        online = roster.online(self._redis)
        with self._db.write() as cursor:
            for worker in online:
                workers.upsert(cursor, worker)
        for name in (*QUEUES, HELP_QUEUE):
            for kind in (FinishedJobRegistry, FailedJobRegistry):
                kind(name, connection=self._redis, job_class=FlowJob, serializer="json").cleanup()
        with self._db.read() as cursor:
            unfinished = {job.id for job in jobs.list_(cursor, states=ACTIVE, limit=MOST_JOBS)}
        workfolder.sweep(self._settings.work, lambda job_id: job_id not in unfinished)
        transfer.sweep(self._settings)


@dataclass(frozen=True)
class Rule:
    """What looks wrong (a job in one of the states here and in one of the places there) and what mends it."""

    name: str
    states: frozenset[JobState]
    places: frozenset[Place]
    mend: Callable[[Reaper, Job], None]


_BEGUN = frozenset({JobState.RUNNING, JobState.FINISHING, JobState.PAUSED})
_NOT_BEGUN = frozenset({JobState.QUEUED, JobState.LOST})
RULES: tuple[Rule, ...] = (
    Rule("forgotten", ACTIVE, frozenset({Place.UNKNOWN, Place.ADRIFT}), Reaper._queue_again),
    Rule("given up", ACTIVE, frozenset({Place.ENDED}), Reaper._fail),
    Rule("waits", _BEGUN, frozenset({Place.WAITING}), Reaper._waits),
    Rule("runs", _NOT_BEGUN, frozenset({Place.RUNNING}), Reaper._runs),
)
