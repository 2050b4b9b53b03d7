"""Questions about models, as jobs for a worker that has a local language model."""

from __future__ import annotations

from flowml.runner.connection import reachable
from flowml.runner.desk import Desk
from flowml.runner.rights import right
from flowml.storage import models
from flowml.storage.errors import NotFound
from flowml.storage.ids import new_id
from flowml.storage.records import Inquiry, Job, JobKind, JobSpec, JobState, Scope

QUEUE = "llm"
LONGEST_NAME = 80


class Inquiring(Desk):
    @right(Scope.READ, "model.ask")
    def inquire(self, inquiry: Inquiry) -> Job:
        """Queues a question. Raises NotFound, and NotReady while Redis is away."""
        with self._db.read() as cursor:
            project = models.project(cursor, inquiry.model_id)
            self._see(project, models.unknown(inquiry.model_id))
            model = models.get(cursor, inquiry.model_id)
        with reachable():
            self._redis.ping()
        job = Job(
            id=new_id("job"),
            kind=JobKind.EXPLANATION,
            state=JobState.QUEUED,
            spec=JobSpec(target=str(model.contract.get("target", "")), name=inquiry.question[:LONGEST_NAME]),
            created_at=self._clock(),
            queue=QUEUE,
            task=model.task,
            metric=model.metric,
            project=self.who.home,
            owner=self._owner,
            inquiry=inquiry,
        )
        self._submit(job)
        return job

    @right(Scope.READ)
    def inquiry(self, job_id: str) -> Job:
        """An explanation job. Raises NotFound."""
        job = self._job(job_id)
        if job.kind is not JobKind.EXPLANATION or job.inquiry is None:
            raise NotFound(f"Job {job_id} answers no question.", "Ask one on the page Explain.")
        return job
