"""Rows of a leaderboard, evaluated once more by a worker: asking for it, and what came of it."""

from __future__ import annotations

import dataclasses

from flowml.runner.connection import reachable
from flowml.runner.desk import Desk
from flowml.runner.rights import right
from flowml.storage import jobs, trials, workers
from flowml.storage.errors import Conflict, NotFound
from flowml.storage.ids import new_id
from flowml.storage.records import ACTIVE, ENDED, Job, JobKind, JobState, Scope, TrialRecord, Verifying

MOST = 100_000  # verifications that are looked through


class Stamping(Desk):
    @right(Scope.WRITE, "job.verify")
    def verify_row(self, job_id: str, trial: int) -> Job:
        """Queues a row to be evaluated again, from the same table, folds, params and seed.

        One that waits or runs already is given back. Raises NotFound, and Conflict for a job that has not
        ended, for a row without scores, and for a table that is gone.
        """
        job, row = self._changeable(job_id), self._row(job_id, trial)
        if job.state not in ENDED:
            raise Conflict(f"Job {job_id} is {job.state}.", "Wait for its end.")
        if not row.fold_scores:
            raise Conflict(f"Trial {trial} has no scores to compare.", row.cause or "Choose another row.")
        dataset = self._present(job.spec.dataset_id)
        waiting = (each for each in self.verifications(job_id) if each.state in ACTIVE)
        known = next(
            (each for each in waiting if each.verifying and each.verifying.row.number == trial), None
        )
        if known is not None:
            return known
        with reachable():
            self._redis.ping()
        asked = dataclasses.replace(
            job,
            id=new_id("job"),
            kind=JobKind.VERIFICATION,
            state=JobState.QUEUED,
            created_at=self._clock(),
            queue="priority",
            worker="",
            started_at=None,
            ended_at=None,
            best_score=None,
            champion="",
            trials=0,
            cause="",
            receipt=None,
            findings=(),
            owner=self._owner,
            verifying=Verifying(job_id, row, self._processor(row.worker)),
        )
        self._submit(asked, dataset)
        return asked

    @right(Scope.READ)
    def verifications(self, job_id: str) -> tuple[Job, ...]:
        """Of rows of a job, newest first, also those that have not ended."""
        job = self._job(job_id)
        with self._db.read() as cursor:
            known = jobs.list_(cursor, None, JobKind.VERIFICATION, job.spec.dataset_id, MOST, 0)
        return tuple(each for each in known if each.verifying and each.verifying.job_id == job_id)

    @right(Scope.READ)
    def stamps(self, job_id: str) -> dict[int, Verifying]:
        """The newest that is known of each trial."""
        found: dict[int, Verifying] = {}
        for each in self.verifications(job_id):
            if each.verifying and each.verifying.verdict:
                found.setdefault(each.verifying.row.number, each.verifying)
        return found

    def _row(self, job_id: str, trial: int) -> TrialRecord:
        with self._db.read() as cursor:
            known = trials.list_(cursor, job_id)
        found = next((each for each in known if each.number == trial), None)
        if found is None:
            raise NotFound(f"Job {job_id} has no trial {trial}.", "Its leaderboard has their numbers.")
        return found

    def _processor(self, worker: str) -> str:
        """Of the machine that a row ran on, if it is still known."""
        with self._db.read() as cursor:
            known = workers.list_(cursor)
        return next((each.capabilities.cpu_model for each in known if each.name == worker), "")
