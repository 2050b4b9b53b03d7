"""Files of rows that models are asked about, as jobs."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from flowml.runner.connection import reachable
from flowml.runner.registry import Registry
from flowml.runner.rights import right
from flowml.storage import jobs, models
from flowml.storage.errors import Conflict, NotFound, SpecError
from flowml.storage.ids import new_id
from flowml.storage.records import (
    ENDED,
    SHARED,
    Artifact,
    Dataset,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Model,
    NamedFile,
    Scope,
    Scoring,
)

ANSWERS = ("csv", "parquet", "xlsx")


class NamedPath(NamedTuple):
    """A file to read from, and what it is called."""

    path: Path
    name: str


class Asking(Registry):
    @right(Scope.PREDICT, "model.predict_file")
    def predict_file(self, model_id: str, path: Path, name: str, format: str = "csv", table: str = "") -> Job:
        """Queues the prediction of all rows of a file of any format, which is kept with the job.

        `name` is what the file is called, `table` one of several in it. Raises NotFound, SpecError, and
        NotReady while Redis is away.
        """
        model = self._asked(model_id, format)
        kept = self._artifacts.put_file(path)
        return self._queue(model, NamedFile(kept.sha256, kept.size, name), format, table)

    @right(Scope.PREDICT, "model.predict_dataset")
    def predict_dataset(self, model_id: str, dataset_id: str, format: str = "csv") -> Job:
        """The same for the rows of a dataset."""
        model, dataset = self._asked(model_id, format), self._present(dataset_id)
        source = NamedFile(dataset.sha256, dataset.size, f"{dataset.name}.parquet")
        return self._queue(model, source, format, "", dataset)

    @right(Scope.PREDICT)
    def rows_to_ask(self, dataset_id: str) -> NamedPath:
        """The rows of a dataset, for who may ask models about them and perhaps not look."""
        dataset = self._present(dataset_id)
        return NamedPath(self._artifacts.path(dataset.sha256), f"{dataset.name}.parquet")

    @right(Scope.PREDICT)
    def prediction(self, job_id: str) -> Job:
        """A prediction job. Raises NotFound."""
        job = self._job(job_id)
        if job.kind is not JobKind.PREDICTION:
            raise NotFound(f"Job {job_id} predicts no file.", "Look at the models that it trained.")
        return job

    @right(Scope.PREDICT)
    def predictions(self, model_id: str | None = None, limit: int = 100) -> tuple[Job, ...]:
        """Prediction jobs, of one model if one is named, newest first."""
        with self._db.read() as cursor:
            found = jobs.list_(cursor, None, JobKind.PREDICTION, None, limit, 0, self._projects)
        return tuple(job for job in found if job.scoring and model_id in (None, job.scoring.model_id))

    @right(Scope.PREDICT)
    def answers(self, job_id: str) -> NamedPath:
        """The file with the answers, under a name to save it by. Raises Conflict while there is none."""
        job = self._job(job_id)
        if job.scoring is None or job.scoring.answer is None:
            ended = job.state in ENDED
            raise Conflict(
                f"Job {job_id} is {job.state}.", job.cause if ended else "Wait until it is finished."
            )
        name = f"{Path(job.scoring.source.name).stem}-predictions.{job.scoring.format}"
        return NamedPath(self._artifacts.path(job.scoring.answer.sha256), name)

    def _asked(self, model_id: str, format: str) -> Model:
        if format not in ANSWERS:
            raise SpecError(f"Answers cannot be written as {format[:40]!r}.", f"Use {' or '.join(ANSWERS)}.")
        known = self.model_id(model_id)
        with self._db.read() as cursor:
            self._see(models.project(cursor, known), models.unknown(known))
            return models.get(cursor, known)

    def _queue(
        self, model: Model, source: NamedFile, format: str, table: str, dataset: Dataset | None = None
    ) -> Job:
        with reachable():
            self._redis.ping()
        with self._db.read() as cursor:
            project = models.project(cursor, model.id)
        file = NamedFile(model.onnx.sha256, model.onnx.size, model.name)
        job = Job(
            id=new_id("job"),
            kind=JobKind.PREDICTION,
            state=JobState.QUEUED,
            spec=JobSpec(
                target=str(model.contract.get("target", "")),
                dataset_id=dataset.id if dataset else "",
                name=source.name,
            ),
            created_at=self._clock(),
            dataset_name=source.name,
            dataset_sha256=source.sha256,
            queue="priority",
            task=model.task,
            metric=model.metric,
            project=self._between(project, dataset),
            owner=self._owner,
            scoring=Scoring(model.id, file, source, format, table),
        )
        self._submit(job)
        return job

    def _between(self, model: str, dataset: Dataset | None) -> str:
        """Where answers lie: seen by nobody who may not see the rows too. A file is for who brought it."""
        if dataset is not None:
            for place, other in ((model, dataset.project), (dataset.project, model)):
                if other in (place, SHARED) and self.who.may_change(place):
                    return place
        return self.who.home


def files_of(job: Job) -> tuple[Artifact, ...]:
    """What is kept for a prediction job alone; the table of a dataset is the dataset's."""
    if job.scoring is None:
        return ()
    source, answer = job.scoring.source, job.scoring.answer
    uploaded = () if job.spec.dataset_id else (Artifact(source.sha256, source.size),)
    return uploaded if answer is None else (*uploaded, answer)
