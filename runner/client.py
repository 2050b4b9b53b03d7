"""All that the screen, the REST API and scripts may ask for. There is no machine learning behind it.

Every method may be called from any thread. What is asked wrongly raises one of the errors of
`flowml.storage.errors`: NotFound for what is not there or not to be seen by who asks, NotAllowed for want of
a right, SpecError and its like for what cannot be done, Conflict where a state forbids it, NotReady while
Redis is away.

`as_person` gives the client of somebody, who sees the datasets, jobs and models of its projects only.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from flowml.runner import control, events, facts, queue, specs
from flowml.runner.asking import Asking, files_of
from flowml.runner.connection import reachable
from flowml.runner.foreign import Foreign
from flowml.runner.incoming import Incoming
from flowml.runner.inquiring import Inquiring
from flowml.runner.keeping import Keeping
from flowml.runner.machines import Machines
from flowml.runner.queue import Place
from flowml.runner.rights import right
from flowml.runner.stamping import Stamping
from flowml.runner.tiers import lowest
from flowml.storage import jobs, models, registry, trials
from flowml.storage.errors import Conflict, NotFound
from flowml.storage.ids import new_id
from flowml.storage.records import (
    ENDED,
    Control,
    Event,
    EventKind,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Json,
    LeaderboardRow,
    Model,
    ModelEntry,
    ModelSummary,
    Scope,
    TrialRecord,
    TrialState,
)

MOST_JOBS = 1_000_000  # all there are

MOST_REMEMBERED = 1_000  # models that somebody asks


class Client(Incoming, Asking, Inquiring, Foreign, Stamping, Machines, Keeping):
    # --- jobs ---------------------------------------------------------------------------------------------

    @right(Scope.WRITE, "job.start")
    def submit(self, spec: JobSpec) -> Job:
        """Checks what is asked, writes the job down and queues it. It waits if no worker is online.

        Raises NotFound for an unknown or deleted dataset, UnknownColumn, BadTarget, TooFewRows, SpecError,
        and NotReady while Redis is away.
        """
        dataset = self._present(spec.dataset_id)
        spec = specs.with_roles_of(dataset, dataclasses.replace(spec, dataset_id=dataset.id))
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
            queue="priority" if spec.priority else lowest(spec.vram),
            findings=self._measures.known_check(dataset, spec),
            project=self._beside(dataset),
            owner=self._owner,
        )
        self._submit(job, dataset)
        return job

    @right(Scope.READ)
    def job(self, id: str) -> Job:
        return self._job(id)

    @right(Scope.READ)
    def jobs(
        self,
        states: Collection[JobState] | None = None,
        limit: int = 100,
        offset: int = 0,
        kind: JobKind | None = JobKind.TRAINING,
        dataset: str | None = None,
    ) -> tuple[Job, ...]:
        """Newest first; of all kinds with None. `dataset` by id, name or `name:version`.

        Raises NotFound, Conflict for a dataset that is neither known nor has a job that one sees.
        """
        id = self._worked_on(dataset)
        with self._db.read() as cursor:
            return jobs.list_(cursor, states, kind, id, limit, offset, self._projects)

    @right(Scope.READ)
    def count_jobs(
        self,
        states: Collection[JobState] | None = None,
        kind: JobKind | None = JobKind.TRAINING,
        dataset: str | None = None,
    ) -> int:
        """How many there are of those that `jobs` lists."""
        id = self._worked_on(dataset)
        with self._db.read() as cursor:
            return jobs.count(cursor, states, self._projects, kind, id)

    @right(Scope.WRITE, "job.move")
    def move_job(self, id: str, project: str) -> Job:
        """Puts it with its models into another project, for others to see or to see no more."""
        self._changeable(id)
        place = self._place(project)
        with self._db.write() as cursor:
            return jobs.update(cursor, id, project=place)

    @right(Scope.WRITE, "job.cancel")
    def cancel(self, id: str) -> Job:
        """Ends a job and keeps nothing. One that waits ends at once, one that runs within two seconds.

        Raises Conflict for a job that has ended otherwise.
        """
        return self._end(id, Control.CANCEL)

    @right(Scope.WRITE, "job.stop")
    def stop(self, id: str) -> Job:
        """Ends the search of a job, which finishes with the best found so far; cancels one not begun yet.

        Raises Conflict for a job that has ended otherwise.
        """
        return self._end(id, Control.STOP)

    @right(Scope.WRITE, "job.pause")
    def pause(self, id: str) -> Job:
        """Lets the running trials end and begins no other; its clock stands still. Raises Conflict."""
        job = self._changeable(id)
        if job.state is not JobState.PAUSED:
            self._must_be(job, JobState.RUNNING, "Only a job that is running can be paused.")
            with reachable():
                control.ask(self._redis, id, Control.PAUSE)
        return self._job(id)

    @right(Scope.WRITE, "job.resume")
    def resume(self, id: str) -> Job:
        """Goes on with a job that was paused. Raises Conflict."""
        job = self._changeable(id)
        with reachable():
            asked = control.asked(self._redis, id)
            if asked is None or asked.control is not Control.PAUSE:
                self._must_be(job, JobState.PAUSED, "Only a job that is paused can go on.")
            elif job.state not in ENDED:
                control.forget(self._redis, id)
        return self._job(id)

    @right(Scope.WRITE, "job.clone")
    def clone(self, id: str, changes: Json | None = None) -> Job:
        """Starts the same again, with changes to what was asked. Raises what `submit` raises."""
        return self.submit(dataclasses.replace(self._job(id).spec, **(changes or {})))

    @right(Scope.WRITE, "job.delete")
    def delete_job(self, id: str) -> None:
        """Removes an ended job with its trials, models and files. Raises Conflict while it is under way."""
        self._changeable(id)
        with reachable():
            self._redis.ping()
        with self._db.write() as cursor:
            fitted, asked = models.list_(cursor, id), jobs.get(cursor, id)
            for model in fitted:
                if known := registry.of_model(cursor, model.id):
                    raise Conflict(
                        f"A model of job {id} is registered as {known[0].name}:{known[0].version}.",
                        "Take it out of the registry first.",
                    )
            jobs.delete(cursor, id)
            ids = {model.id for model in fitted}
            for kind in (JobKind.VERIFICATION, JobKind.EXPLANATION):
                for each in jobs.list_(cursor, ENDED, kind, limit=MOST_JOBS):
                    if _about(each, id, ids):
                        jobs.delete(cursor, each.id)
            others = jobs.list_(cursor, kind=JobKind.PREDICTION, limit=MOST_JOBS)
            files = _files(fitted, [asked]) - _files(models.list_(cursor), others)
        files -= {dataset.sha256 for dataset in self._datasets.list_()}
        for sha256 in files:
            self._artifacts.delete(sha256)
        shutil.rmtree(self._settings.work / id, ignore_errors=True)
        with reachable():
            events.forget(self._redis, id)
            queue.forget(self._redis, id)
            facts.forget_attempts(self._redis, id)

    @right(Scope.READ)
    def events(self, job_id: str, after: str = "0", count: int = 500) -> tuple[Event, ...]:
        """The progress of a job after the event with the id `after`, oldest first; kept for a week."""
        self.job(job_id)
        with reachable():
            return events.read(self._redis, job_id, after, count)

    @right(Scope.READ)
    def used_s(self, job_id: str) -> float | None:
        """Seconds of its budget that a job under way has used, as its worker told last; it stands still while
        the job is paused. None before the first word. Raises NotReady.
        """
        self.job(job_id)
        with reachable():
            told = events.latest(self._redis, job_id, EventKind.STATE)
        used = told.fields.get("elapsed_s") if told else None
        return None if used is None else float(used)

    @right(Scope.READ)
    def trials(
        self,
        job_id: str,
        states: Collection[TrialState] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[TrialRecord, ...]:
        """In the order they were proposed; all of them without a limit."""
        self.job(job_id)
        with self._db.read() as cursor:
            return trials.list_(cursor, job_id, states, limit, offset)

    @right(Scope.READ)
    def count_trials(self, job_id: str, states: Collection[TrialState] | None = None) -> int:
        """How many there are of those that `trials` lists."""
        self.job(job_id)
        with self._db.read() as cursor:
            return trials.count(cursor, job_id, states)

    @right(Scope.READ)
    def leaderboard(self, job_id: str) -> tuple[LeaderboardRow, ...]:
        """Best first; rows that failed follow, unranked, with their cause."""
        self.job(job_id)
        with self._db.read() as cursor:
            return models.leaderboard(cursor, job_id)

    # --- models -------------------------------------------------------------------------------------------

    @right(Scope.READ)
    def models(
        self, job_id: str | None = None, limit: int | None = None, offset: int = 0
    ) -> tuple[Model, ...]:
        """All, or those of one job, newest first."""
        with self._db.read() as cursor:
            return models.list_(cursor, job_id, self._projects, limit, offset)

    @right(Scope.READ)
    def model_entries(self, limit: int = 1000) -> tuple[ModelEntry, ...]:
        """The champions of ended jobs for lists of choices, the newest job first."""
        with self._db.read() as cursor:
            return models.entries(cursor, self._projects, limit)

    @right(Scope.READ)
    def model_summaries(self, limit: int = 100, offset: int = 0) -> tuple[ModelSummary, ...]:
        """Models as lists show them, newest first."""
        with self._db.read() as cursor:
            return models.summaries(cursor, self._projects, limit, offset)

    @right(Scope.READ)
    def count_models(self) -> int:
        """How many there are of those that `models` lists."""
        with self._db.read() as cursor:
            return models.count(cursor, self._projects)

    @right(Scope.READ)
    def model(self, id: str) -> Model:
        """By its id, or as `name@alias` or `name:version` of the registry."""
        return self._model(id)

    @right(Scope.PREDICT)
    def model_to_ask(self, id: str) -> Model:
        """As `model`, for who may predict and perhaps not look. No table is asked while nothing changes."""
        known, generation = self._remembered.get((self.who.id, id)), self._db.generation
        if known is not None and known[0] == generation:
            return known[1]
        found = self._model(id)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[self.who.id, id] = generation, found
        return found

    @right(Scope.PREDICT)
    def model_file(self, id: str, compact: bool = False) -> Path:
        """The ONNX file of a model, or of its compact variant, to read from."""
        model = self._model(id)
        if not compact:
            return self._artifacts.path(model.onnx.sha256)
        if model.compact is None or model.compact.onnx is None:
            raise NotFound(f"Model {id} has no compact variant.", "It is small itself, or there was no time.")
        return self._artifacts.path(model.compact.onnx.sha256)

    # --- inner ---------------------------------------------------------------------------------------------

    def _model(self, id: str) -> Model:
        id = self.model_id(id)
        with self._db.read() as cursor:
            self._see(models.project(cursor, id), models.unknown(id))
            return models.get(cursor, id)

    def _must_be(self, job: Job, state: JobState, advice: str) -> None:
        if job.state is not state:
            raise Conflict(f"Job {job.id} is {job.state}.", advice)

    def _end(self, id: str, how: Control) -> Job:
        job = self._changeable(id)
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


def _about(job: Job, training: str, model_ids: Collection[str]) -> bool:
    """Whether a job verified rows of a training, or answered a question about one of its models."""
    if job.verifying is not None:
        return job.verifying.job_id == training
    return job.inquiry is not None and job.inquiry.model_id in model_ids


def _files(fitted: Iterable[Model], asked: Iterable[Job]) -> set[str]:
    """Hashes of all that is kept for these models and jobs."""
    kept = [*(model.files for model in fitted), *(files_of(job) for job in asked)]
    return {file.sha256 for files in kept for file in files}
