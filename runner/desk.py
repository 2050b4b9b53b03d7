"""What each part of the client stands on: the tables and servers it asks, what may be seen and changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection

from redis import Redis

from flowml.runner.connection import AWAY
from flowml.runner.local_workers import LocalWorkers
from flowml.runner.measures import Measures
from flowml.runner.rights import Seat
from flowml.runner.settings import Settings
from flowml.runner.specs import Choices
from flowml.runner.submission import enqueue_job
from flowml.storage import jobs, projects, users
from flowml.storage.artifacts import Artifacts
from flowml.storage.datasets import Datasets, unknown
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, NotFound
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
        local_workers: LocalWorkers | None = None,
    ) -> None:
        super().__init__(db)
        self._datasets = datasets
        self._artifacts = artifacts
        self._redis = redis
        self._settings = settings
        self._choices = choices or Choices()
        self._clock = clock
        self._local_workers = local_workers
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
                if not (self.who.everywhere and users.known(cursor, place)):
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

    def _seen(self, ref: str) -> Dataset:
        """By its id, its name (the newest version), or as `name:version`. Raises NotFound, Conflict."""
        try:
            dataset = self._datasets.get(ref)
        except NotFound:
            return self._named(ref)
        self._see(dataset.project, unknown(ref))
        return dataset

    def _named(self, ref: str) -> Dataset:
        found = self._datasets.versions(ref, self._projects)
        name, _, version = ref.rpartition(":")
        if not found and version.isdecimal():
            versions = self._datasets.versions(name, self._projects)
            found = tuple(each for each in versions if each.version == int(version))
        if not found:
            raise unknown(ref)
        newest = {each.project: each.id for each in reversed(found)}  # the highest version of each project
        if len(newest) > 1:
            raise Conflict(
                f"{len(newest)} projects have a dataset {ref!r}: {', '.join(newest.values())}.",
                "Name the one that is meant by its id.",
            )
        return found[0]

    def _worked_on(self, ref: str | None) -> str | None:
        """The id of a dataset; one that is gone or not to be seen is known by the jobs on it."""
        if ref is None:
            return None
        try:
            return self._seen(ref).id
        except NotFound:
            with self._db.read() as cursor:
                if not jobs.count(cursor, None, self._projects, None, ref):
                    raise
            return ref

    def _job(self, id: str) -> Job:
        with self._db.read() as cursor:
            job = jobs.get(cursor, id)
        self._see(job.project, jobs.unknown(id))
        return job

    def _changeable(self, id: str) -> Job:
        job = self._job(id)
        self._must_change(job.project, f"Job {id}")
        return job

    def _present(self, ref: str) -> Dataset:
        dataset = self._seen(ref)
        if dataset.deleted:
            raise NotFound(f"The dataset {dataset.name!r} ({ref}) was deleted.", "Upload it again.")
        return dataset

    def _present_to_change(self, ref: str) -> Dataset:
        dataset = self._present(ref)
        self._must_change(dataset.project, f"The dataset {dataset.name!r}")
        return dataset

    def _beside(self, dataset: Dataset) -> str:
        """Where to put what is made of a dataset: beside it, or where only who asks sees it."""
        return dataset.project if self.who.may_change(dataset.project) else self.who.home
