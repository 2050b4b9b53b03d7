"""What each part of the client stands on: the tables and servers it asks, what may be seen and changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection

from redis import Redis

from flowml.runner.connection import AWAY
from flowml.runner.measures import Measures
from flowml.runner.rights import Seat
from flowml.runner.settings import Settings
from flowml.runner.specs import Choices
from flowml.runner.submission import enqueue_job
from flowml.storage import jobs, projects
from flowml.storage.artifacts import Artifacts
from flowml.storage.datasets import Datasets, unknown
from flowml.storage.db import Database
from flowml.storage.errors import NotFound
from flowml.storage.records import SHARED, Dataset, Job, Model

log = logging.getLogger(__name__)


class Desk(Seat):
    def __init__(
        self,
        db: Database,
        datasets: Datasets,
        artifacts: Artifacts,
        redis: Redis,
        settings: Settings,
        choices: Choices | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(db)
        self._datasets = datasets
        self._artifacts = artifacts
        self._redis = redis
        self._settings = settings
        self._choices = choices or Choices()
        self._clock = clock
        self._measures = Measures(db, datasets)
        self._remembered: dict[tuple[str, str], tuple[int, Model]] = {}  # what is asked again and again

    @property
    def _projects(self) -> Collection[str] | None:
        """Those that who asks may see; None: all."""
        return None if self.who.everywhere else self.who.visible

    @property
    def _owner(self) -> str:
        return self.who.name if self.who.id else ""

    def _place(self, project: str | None) -> str:
        """The project to put something into, its own by default. Raises NotAllowed."""
        place = self.who.home if project is None else project
        if place not in (SHARED, self.who.id):
            with self._db.read() as cursor:
                projects.get(cursor, place)
        self._must_change(place, f"What is put into {place or 'the shared project'}")
        return place

    def _submit(self, job: Job, dataset: Dataset | None = None) -> None:
        """Writes a job down and queues it; `dataset` is what it trains on, if it does."""
        with self._db.write() as cursor:
            jobs.insert(cursor, job)
        try:
            enqueue_job(self._redis, job, dataset)
        except AWAY as away:  # just now: the reaper queues what is written down once Redis is back
            log.warning(
                "Job %s is written down and waits for Redis: %s", job.id, away, extra={"job_id": job.id}
            )

    def _seen(self, id: str) -> Dataset:
        dataset = self._datasets.get(id)
        self._see(dataset.project, unknown(id))
        return dataset

    def _job(self, id: str) -> Job:
        with self._db.read() as cursor:
            job = jobs.get(cursor, id)
        self._see(job.project, jobs.unknown(id))
        return job

    def _changeable(self, id: str) -> Job:
        job = self._job(id)
        self._must_change(job.project, f"Job {id}")
        return job

    def _present(self, id: str) -> Dataset:
        dataset = self._seen(id)
        if dataset.deleted:
            raise NotFound(f"The dataset {dataset.name!r} ({id}) was deleted.", "Upload it again.")
        return dataset

    def _present_to_change(self, id: str) -> Dataset:
        dataset = self._present(id)
        self._must_change(dataset.project, f"The dataset {dataset.name!r}")
        return dataset

    def _beside(self, dataset: Dataset) -> str:
        """Where to put what is made of a dataset: beside it, or where only who asks sees it."""
        return dataset.project if self.who.may_change(dataset.project) else self.who.home
