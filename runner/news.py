"""What happens in the studio, told as it happens: jobs that start, go on and end, workers that come and go.

A thread compares what is with what was, twice a second, as long as somebody listens.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from redis import Redis

from flowml.runner import roster
from flowml.runner.routine import Routine
from flowml.storage import jobs
from flowml.storage.db import Database
from flowml.storage.records import SHARED, Job, JobKind, JobState, Json

LOOK_S = 0.5
IDLE_S = 0.2
NEWEST = 200  # jobs that are compared
UNHEARD = 1_000  # news that wait for a slow listener; older ones are dropped


class NewsKind(StrEnum):
    TRAINING_STARTED = "training_started"
    TRAINING_PROGRESS = "training_progress"
    TRAINING_COMPLETED = "training_completed"
    TRAINING_FAILED = "training_failed"
    TRAINING_CANCELLED = "training_cancelled"
    WORKER_CONNECTED = "worker_connected"
    WORKER_DISCONNECTED = "worker_disconnected"


ENDINGS = {
    JobState.FINISHED: NewsKind.TRAINING_COMPLETED,
    JobState.STOPPED: NewsKind.TRAINING_COMPLETED,
    JobState.FAILED: NewsKind.TRAINING_FAILED,
    JobState.CANCELLED: NewsKind.TRAINING_CANCELLED,
}


@dataclass(frozen=True)
class News:
    kind: NewsKind
    at: float
    fields: Json = field(default_factory=dict)
    project: str = SHARED  # whose users may hear of it


class Newsroom:
    def __init__(self, db: Database, redis: Redis) -> None:
        self._db = db
        self._redis = redis
        self._listeners: set[queue.Queue[News]] = set()
        self._turn = threading.Lock()
        self._jobs: dict[str, Job] | None = None
        self._workers: frozenset[str] = frozenset()
        self._routine = Routine("news", self._step)

    def start(self) -> None:
        self._routine.start()

    def stop(self) -> None:
        self._routine.stop()

    @contextmanager
    def listen(self) -> Iterator[queue.Queue[News]]:
        """What happens from now on, until the block ends."""
        heard: queue.Queue[News] = queue.Queue(UNHEARD)
        with self._turn:
            self._listeners.add(heard)
        try:
            yield heard
        finally:
            with self._turn:
                self._listeners.discard(heard)

    def _step(self) -> float:
        if not self._listeners:
            self._jobs = None
            return IDLE_S
        first = self._jobs is None
        for news in [*self._of_jobs(), *self._of_workers()]:
            if not first:  # what was before is no news
                self._tell(news)
        return LOOK_S

    def _tell(self, news: News) -> None:
        with self._turn:
            listeners = tuple(self._listeners)
        for heard in listeners:
            if heard.full():
                heard.get()
            heard.put(news)

    def _of_jobs(self) -> list[News]:
        before = self._jobs or {}
        with self._db.read() as cursor:
            now = {job.id: job for job in jobs.list_(cursor, kind=JobKind.TRAINING, limit=NEWEST)}
        self._jobs = now
        return [each for job in now.values() for each in compared(before.get(job.id), job)]

    def _of_workers(self) -> list[News]:
        online = {worker.name: worker for worker in roster.online(self._redis)}
        at, before, self._workers = time.time(), self._workers, frozenset(online)
        came = [
            News(NewsKind.WORKER_CONNECTED, at, {"worker": name, "queues": list(online[name].queues)})
            for name in sorted(self._workers - before)
        ]
        went = sorted(before - self._workers)
        return came + [News(NewsKind.WORKER_DISCONNECTED, at, {"worker": name}) for name in went]


def compared(before: Job | None, job: Job) -> list[News]:
    """What happened to a job between two looks."""
    if before is not None and before == job:
        return []
    kinds = []
    begun = before is not None and before.started_at is not None
    if job.started_at is not None and not begun:
        kinds.append(NewsKind.TRAINING_STARTED)
    ended = ENDINGS.get(job.state)
    if ended is None:
        moved = begun and before is not None and _standing(before) != _standing(job)
        kinds += [NewsKind.TRAINING_PROGRESS] if moved else []
    elif before is None or before.state is not job.state:
        kinds.append(ended)
    return [News(kind, time.time(), _fields(job), job.project) for kind in kinds]


def _standing(job: Job) -> tuple[object, ...]:
    return job.state, job.trials, job.best_score, job.worker


def _fields(job: Job) -> Json:
    return {
        "job_id": job.id,
        "status": job.state.value,
        "name": job.spec.name,
        "dataset_id": job.spec.dataset_id,
        "target_column": job.spec.target,
        "metric": job.metric,
        "best_score": job.best_score,
        "trials": job.trials,
        "worker": job.worker,
        "model_id": job.champion,
        "cause": job.cause,
    }
