"""All that the screen, the REST API and scripts may ask for. There is no machine learning behind it.

Every method may be called from any thread. What is asked wrongly raises one of the errors of
`flowml.storage.errors`: NotFound for what is not there, SpecError and its like for what cannot be done,
Conflict where a state forbids it, NotReady while Redis is away.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from redis import Redis

from flowml.runner import control, events, facts, health, queue, roster, specs
from flowml.runner.connection import AWAY, reachable
from flowml.runner.measures import Measures
from flowml.runner.queue import Place
from flowml.runner.settings import Settings
from flowml.runner.specs import Choices
from flowml.runner.submission import enqueue_job
from flowml.storage import jobs, logs, models, trials, workers
from flowml.storage.artifacts import Artifacts
from flowml.storage.cells import plain
from flowml.storage.datasets import Datasets
from flowml.storage.db import Cursor, Database
from flowml.storage.errors import Conflict, NotFound
from flowml.storage.ids import new_id
from flowml.storage.records import (
    ACTIVE,
    ENDED,
    Control,
    Dataset,
    Event,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Json,
    LeaderboardRow,
    Level,
    LogLine,
    Model,
    Profile,
    Role,
    TargetAssociation,
    TrialRecord,
    VersionDifference,
    Worker,
)

log = logging.getLogger(__name__)


class Client:
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
        self._db = db
        self._datasets = datasets
        self._artifacts = artifacts
        self._redis = redis
        self._settings = settings
        self._choices = choices or Choices()
        self._clock = clock
        self._measures = Measures(db, datasets)

    # --- datasets -----------------------------------------------------------------------------------------

    def add_dataset(self, path: Path, name: str, source: str | None = None) -> Dataset:
        """Reads a file as a table and keeps it. A name that is taken gets its next version.

        `source` is the file name it came with. Raises EmptyFile, UnknownFormat, BrokenFile or FileTooLarge.
        """
        return self._datasets.add(path, name, source)

    def datasets(self) -> tuple[Dataset, ...]:
        """Those not deleted, newest first."""
        return tuple(dataset for dataset in self._datasets.list_() if not dataset.deleted)

    def dataset(self, id: str) -> Dataset:
        """Raises NotFound; a deleted one is found, so that its jobs can still show it."""
        return self._datasets.get(id)

    def preview(self, id: str, rows: int = 50) -> Json:
        """The first rows: {"columns": [names], "rows": [[values]]}, values as plain JSON."""
        frame = self._datasets.preview(self._present(id).id, rows)
        return {"columns": frame.columns, "rows": [[plain(value) for value in row] for row in frame.rows()]}

    def dataset_stats(self, id: str) -> tuple[Json, ...]:
        """Per column its name, type, role, missing, unique and, where it has them, its figures."""
        return self._datasets.stats(self._present(id).id)

    def set_roles(self, id: str, roles: Mapping[str, Role]) -> Dataset:
        """Says what columns are for where the guess was wrong; jobs begin with it. Raises UnknownColumn."""
        return self._datasets.set_roles(self._present(id).id, roles)

    def profile(self, id: str) -> Profile:
        """What its columns hold, measured once for each content; takes seconds for a large table."""
        return self._measures.profile(self._present(id))

    def target_associations(self, id: str, target: str, task: str = "auto") -> tuple[TargetAssociation, ...]:
        """What each column alone tells of a target. Raises UnknownColumn, BadTarget."""
        return self._measures.associations(self._present(id), target, task)

    def difference(self, old: str, new: str) -> VersionDifference:
        """What changed from one dataset to another, of columns, types and values."""
        return self._measures.difference(self.dataset(old), self._present(new))

    def query(self, id: str, sql: str, rows: int = 50) -> Json:
        """What a SELECT FROM dataset gives: {"columns", "rows", "total"}. Raises QueryError, DataError."""
        return self._measures.query(self._present(id), sql, rows)

    def derive(self, id: str, sql: str, name: str | None = None) -> Dataset:
        """Keeps what a query gives as the next version, or as a dataset of another name."""
        return self._datasets.derive(self._present(id).id, sql, name)

    def delete_dataset(self, id: str) -> None:
        """Its jobs and models stay. Raises Conflict while a job on it is under way."""
        dataset = self._present(id)
        with self._db.read() as cursor:
            busy = jobs.list_(cursor, states=ACTIVE, dataset_id=id, limit=1)
        if busy:
            raise Conflict(
                f"The dataset {dataset.name!r} is in use by job {busy[0].id}, which is {busy[0].state}.",
                "Wait for it, or cancel it; then delete the dataset.",
            )
        self._datasets.delete(id)

    # --- jobs ---------------------------------------------------------------------------------------------

    def submit(self, spec: JobSpec) -> Job:
        """Checks what is asked, writes the job down and queues it. It waits if no worker is online.

        Raises NotFound for an unknown or deleted dataset, UnknownColumn, BadTarget, TooFewRows, SpecError,
        and NotReady while Redis is away.
        """
        dataset = self._present(spec.dataset_id)
        spec = specs.with_roles_of(dataset, spec)
        spec = specs.check(spec, dataset.schema, self._settings, self._choices)
        with reachable():
            self._redis.ping()
        job = Job(
            id=new_id("job"),
            kind=JobKind.TRAINING,
            state=JobState.QUEUED,
            spec=spec,
            created_at=self._clock(),
            dataset_name=dataset.name,
            dataset_sha256=dataset.sha256,
            queue="priority" if spec.priority else "cpu",
        )
        with self._db.write() as cursor:
            jobs.insert(cursor, job)
        try:
            enqueue_job(self._redis, job, dataset)
        except AWAY as away:  # just now: the reaper queues what is written down once Redis is back
            log.warning("Job %s is written down and waits for Redis: %s", job.id, away)
        return job

    def job(self, id: str) -> Job:
        with self._db.read() as cursor:
            return jobs.get(cursor, id)

    def jobs(
        self, states: Collection[JobState] | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[Job, ...]:
        """Newest first."""
        with self._db.read() as cursor:
            return jobs.list_(cursor, states=states, limit=limit, offset=offset)

    def cancel(self, id: str) -> Job:
        """Ends a job and keeps nothing. One that waits ends at once, one that runs within two seconds.

        Raises Conflict for a job that has ended otherwise.
        """
        return self._end(id, Control.CANCEL)

    def stop(self, id: str) -> Job:
        """Ends the search of a job, which finishes with the best found so far; cancels one not begun yet.

        Raises Conflict for a job that has ended otherwise.
        """
        return self._end(id, Control.STOP)

    def delete_job(self, id: str) -> None:
        """Removes an ended job with its trials, models and files. Raises Conflict while it is under way."""
        with reachable():
            self._redis.ping()
        with self._db.write() as cursor:
            fitted = models.list_(cursor, id)
            jobs.delete(cursor, id)
            files = {model.onnx.sha256 for model in fitted} - _files(cursor)
        for sha256 in files:
            self._artifacts.delete(sha256)
        shutil.rmtree(self._settings.work / id, ignore_errors=True)
        with reachable():
            events.forget(self._redis, id)
            queue.forget(self._redis, id)
            facts.forget_attempts(self._redis, id)

    def events(self, job_id: str, after: str = "0", count: int = 500) -> tuple[Event, ...]:
        """The progress of a job after the event with the id `after`, oldest first; kept for a week."""
        with reachable():
            return events.read(self._redis, job_id, after, count)

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        """In the order they were proposed."""
        with self._db.read() as cursor:
            jobs.get(cursor, job_id)
            return trials.list_(cursor, job_id)

    def leaderboard(self, job_id: str) -> tuple[LeaderboardRow, ...]:
        """Best first; rows that failed follow, unranked, with their cause."""
        with self._db.read() as cursor:
            return models.leaderboard(cursor, job_id)

    # --- models -------------------------------------------------------------------------------------------

    def models(self, job_id: str | None = None) -> tuple[Model, ...]:
        """All, or those of one job, newest first."""
        with self._db.read() as cursor:
            return models.list_(cursor, job_id)

    def model(self, id: str) -> Model:
        with self._db.read() as cursor:
            return models.get(cursor, id)

    def model_file(self, id: str) -> Path:
        """The ONNX file of a model, to read from."""
        return self._artifacts.path(self.model(id).onnx.sha256)

    # --- workers and the whole ----------------------------------------------------------------------------

    def workers(self) -> tuple[Worker, ...]:
        """Those online as they are now, then those known from before, whose state is offline."""
        with reachable():
            live = roster.online(self._redis)
        with self._db.read() as cursor:
            known = workers.list_(cursor)
        names = {worker.name for worker in live}
        return live + tuple(roster.offline(worker) for worker in known if worker.name not in names)

    def forget_worker(self, name: str) -> None:
        """Takes an offline worker out of the list. Raises Conflict while it is online."""
        with reachable():
            if roster.find(self._redis, name) is not None:
                raise Conflict(f"Worker {name} is online.", "Stop it first.")
        with self._db.write() as cursor:
            workers.get(cursor, name)
            workers.delete(cursor, name)

    def queues(self) -> dict[str, int]:
        """How many jobs wait, by queue."""
        with reachable():
            return queue.depths(self._redis)

    def cluster(self) -> Json:
        """Workers, queues and what all machines have together, with advice where something is missing.

        Keys: mode, online, workers, queues, cpus, ram_total, gpus, advice.
        """
        return health.cluster(self._settings, self.workers(), self.queues())

    def stats(self) -> Json:
        """Counts. Keys: datasets, jobs (by state), models, workers_online."""
        with self._db.read() as cursor:
            by_state = {state.value: jobs.count(cursor, states={state}) for state in JobState}
            fitted = models.count(cursor)
        with reachable():
            online = len(roster.online(self._redis))
        return {
            "datasets": len(self.datasets()),
            "jobs": by_state,
            "models": fitted,
            "workers_online": online,
        }

    def logs(
        self,
        text: str | None = None,
        level: Level | None = None,
        source: str | None = None,
        job_id: str | None = None,
        after: float | None = None,
        limit: int = 500,
    ) -> tuple[LogLine, ...]:
        """Lines of all machines, oldest first: the last ones, or those after a time. `level` is the least."""
        with self._db.read() as cursor:
            return logs.query(cursor, text, level, source, job_id, after, limit)

    def health(self) -> Json:
        """How the studio is; never raises.

        Keys: status (ok, degraded), version, redis, database, workers_online, facts_waiting, jobs_active,
        advice.
        """
        return health.health(self._redis, self._db)

    # --- inner --------------------------------------------------------------------------------------------

    def _present(self, id: str) -> Dataset:
        dataset = self._datasets.get(id)
        if dataset.deleted:
            raise NotFound(f"The dataset {dataset.name!r} ({id}) was deleted.", "Upload it again.")
        return dataset

    def _end(self, id: str, how: Control) -> Job:
        job = self.job(id)
        if job.state is JobState.CANCELLED or (how is Control.STOP and job.state is JobState.STOPPED):
            return job
        if job.state in ENDED:
            raise Conflict(f"Job {id} is {job.state} already.", "There is nothing to end.")
        with reachable():
            control.ask(self._redis, id, how)
            keeps_something = how is Control.STOP and job.trials > 0
            if keeps_something or not self._waits(job):
                return self.job(id)  # whoever runs it hears of it
        with self._db.write() as cursor:
            return jobs.update(cursor, id, state=JobState.CANCELLED, ended_at=self._clock(), worker="")

    def _waits(self, job: Job) -> bool:
        """Whether no worker has the job, which is then taken out of its queue."""
        if queue.withdraw(self._redis, job.queue, job.id):
            return True
        begun = job.state not in (JobState.QUEUED, JobState.LOST)
        return not begun and queue.place(self._redis, job.queue, job.id) in (Place.UNKNOWN, Place.ADRIFT)


def _files(cursor: Cursor) -> set[str]:
    return {model.onnx.sha256 for model in models.list_(cursor)}
