"""RQ's worker, made so that a job is never lost, and never counted twice when two machines ran it.

The parent process only watches. It forks a work-horse per job, renews the job's lease, survives any absence
of Redis, and gives the job back when it is told to stop. The work-horse dies with it. (RQ's internals are
overridden here, so its version is pinned and the tests of this file hold it to what we need.)
"""

from __future__ import annotations

import contextlib
import logging
import signal
import time
from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.utils import now

from flowml.runner import about, control, facts, leases, tending
from flowml.runner.bell import ring
from flowml.runner.connection import AWAY
from flowml.runner.forkserver import FORK_SERVER, ForkServer
from flowml.runner.lifeline import die_with_parent
from flowml.runner.preloading import Preloading
from flowml.runner.queue import WITH_CHILDREN, FlowJob, FlowQueue, helped, retries_left
from flowml.runner.study import Study
from flowml.runner.taking import Taker, queue_key
from flowml.runner.tending import Told
from flowml.runner.turns import Turns
from flowml.storage.errors import Conflict
from flowml.storage.records import Control, FactKind, JobState

# What RQ says of a work-horse that died; not true of one that we end to give its job back.
UNTRUE = ("Worker %s: job %s failed (%s)", "Work horse killed for job %s: retpid=%s, ret_val=%s")
HORSE_DIED = "The process of its worker died"
STUBBORN_S = 8.0  # a work-horse that did not obey a cancellation for so long is killed


class FlowWorker(Worker):  # type: ignore[misc]  # RQ is not followed by mypy
    queue_class = FlowQueue
    job_class = FlowJob
    max_connection_wait_time = 3.0

    lease_s = 45
    retry: Retry | None = None  # of the connection; cut short when we are told to stop
    enter_horse: Callable[[], None] | None = None  # called first in each work-horse
    on_change: Callable[[], None] = staticmethod(lambda: None)  # called when a job begins or ends

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.jobs_done = 0
        self.job_id = ""  # of the job that runs
        self.misfit: Conflict | None = None  # why it left by itself
        self._giving_back = False
        self._lost = False
        self._ended = False  # the job had ended at the last look
        self._cancelled = False
        self._turns = Turns(self.queue_names())
        self._preloading = Preloading(0.0)

    def load_ahead(self, idle_s: float) -> None:
        """While it is idle, from `idle_s` after its last job on; 0: never."""
        self._preloading = Preloading(idle_s)
        for each in self.queues:
            each.at_rest = self._rest

    def _rest(self) -> bool:
        more = self._preloading.step()
        if self._stop_requested:  # meanwhile
            raise StopRequested
        return more

    @property
    def told_to_stop(self) -> bool:
        return bool(self._stop_requested)

    def serve_as(self, taker: Taker) -> None:
        taker.before = self._fit
        for each in self.queues:
            each.taker = taker

    def _fit(self, redis: Redis) -> None:
        """The studio may be another than at our start: of a version that we do not fit. Then we leave."""
        try:
            about.shake_hands(redis)
        except Conflict as misfit:
            self.log.error("Worker %s takes no more jobs: %s", self.name, misfit)
            self.misfit = misfit
            raise StopRequested from misfit

    # --- taking a job -------------------------------------------------------------------------------------

    def run_maintenance_tasks(self) -> None:
        """Nothing: only the studio's reaper cleans up, RQ's way fails jobs that could still run."""
        self.last_cleaned_at = now()

    def subscribe(self) -> None:
        """To nothing: whoever reaches Redis could give orders by RQ's channel. Ours: `control`, `tending`."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def check_for_suspension(self, burst: bool) -> None:
        """Never: RQ's key would stop all workers."""

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        return self.lease_s

    def prepare_execution(self, job: Job) -> Execution:
        execution = super().prepare_execution(job)
        leases.renew(self.connection, job, execution, self.name, self.lease_s)
        leases.settle(self.connection, job)
        return execution

    def reorder_queues(self, reference_queue: Queue) -> None:
        """Called with the queue that a job was taken from."""
        self._turns.served(reference_queue.name)
        by_name = {each.name: each for each in self.queues}
        self._ordered_queues = [by_name[name] for name in self._turns.order]

    def execute_job(self, job: Job, queue: Queue) -> None:
        self.job_id = helped(job.id) or job.id
        self._lost = self._ended = self._cancelled = False
        self._giving_back = self.told_to_stop
        self.on_change()
        try:
            super().execute_job(job, queue)
        except AWAY as away:
            if not self.told_to_stop:
                raise
            self.log.warning(
                "The job waits until its lease has run out: it could not be given back: %s",
                away,
                extra=self._placed(),
            )
            raise StopRequested from away
        finally:
            self.job_id = ""
            self._preloading.wait()
            self.log.removeFilter(_is_true)
            self.on_change()
        self.jobs_done += 1

    # --- while it runs ------------------------------------------------------------------------------------

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        if self._preloading.done and job.func_name in WITH_CHILDREN:
            self._make_a_fork_server()  # while there are no threads
        die_with_parent(self.pid)
        if self.enter_horse is not None:
            self.enter_horse()
        super().main_work_horse(job, queue)

    def _make_a_fork_server(self) -> None:
        try:
            FORK_SERVER.set(ForkServer())
        except OSError as error:
            self.log.warning("Trial children start anew, for they cannot be forked: %s", error)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        try:
            answer = leases.renew(self.connection, job, execution, self.name, self.lease_s)
            if answer == leases.ENDED and not self._ended:
                self._ended = True  # our work-horse is about to leave; if it stays, another one ended the job
                return
            if answer in (leases.LOST, leases.ENDED):
                self.log.error(
                    "The lease of job %s is lost; its work-horse is stopped", job.id, extra=self._placed()
                )
                self._lost = True
                self.kill_horse()
                return
            if answer == leases.TAKEN_BACK:
                self.log.warning(
                    "The lease of job %s had run out and was taken back", job.id, extra=self._placed()
                )
            self.heartbeat()
            self._insist_on_cancel(job)
            if tending.told(self.connection, self.name) is Told.DRAIN:
                self._hand_over()
        except AWAY as away:
            self.log.error("The lease could not be renewed, the work goes on: %s", away, extra=self._placed())

    def _insist_on_cancel(self, job: Job) -> None:
        asked = control.asked(self.connection, self.job_id)
        if asked and asked.control is Control.CANCEL and time.time() - asked.at > STUBBORN_S:
            self.log.warning(
                "Job %s did not obey its cancellation and is killed", job.id, extra=self._placed()
            )
            self._cancelled = True
            self._stopped_job_id = job.id  # RQ then notes it as stopped and does not retry it
            self.kill_horse()

    def handle_job_failure(self, job: Job, queue: Queue, *arguments: Any, **named: Any) -> None:
        """Called in the work-horse for a job that raised, here for a work-horse that died."""
        if helped(job.id) and not self.is_horse:
            Study(self.job_id).leave(self.connection, self.name, "" if self._giving_back else HORSE_DIED)
        if self._lost:
            self.log.warning("Job %s runs elsewhere; nothing is noted", job.id, extra=self._placed())
        elif self._giving_back and not self.is_horse:
            self._give_back(job, named.get("execution"))
        else:
            if not self.is_horse:
                job.retries_left = retries_left(self.connection, job.id)  # it may have got further meanwhile
            super().handle_job_failure(job, queue, *arguments, **named)
            if self._cancelled and not helped(job.id):
                change = {"state": JobState.CANCELLED.value, "ended_at": time.time()}
                self._tell(self.connection, job.id, change)

    def _placed(self) -> dict[str, str]:
        """For log records about the job that runs."""
        return {"job_id": self.job_id}

    # --- stopping -----------------------------------------------------------------------------------------

    def request_stop(self, signum: int, frame: Any) -> None:  # noqa: ARG002
        """On SIGTERM and Ctrl-C: the running job is given back and goes on from its work folder next time."""
        signal.signal(signal.SIGINT, self.request_force_stop)
        signal.signal(signal.SIGTERM, self.request_force_stop)
        self._shutdown_requested_date = now()
        self._stop_requested = True
        if self.retry is not None:
            self.retry.update_retries(1)  # also of a call that waits for Redis right now
        if self._preloading.loading:
            return
        if not self.job_id:
            raise StopRequested
        self._hand_over()

    def _hand_over(self) -> None:
        """Ends the running job here, for it to be given back."""
        self._giving_back = True
        self.log.addFilter(_is_true)
        if self.horse_pid:
            self.kill_horse()

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        super().fork_work_horse(job, queue)
        if self._giving_back:  # told to stop just before the fork
            self.kill_horse()

    def teardown(self) -> None:
        with contextlib.suppress(*AWAY):  # then its records expire by themselves
            super().teardown()

    def _give_back(self, job: Job, execution: Execution | None) -> None:
        """The job waits again, first in its queue, as if it had not been taken; help is just left."""
        if helped(job.id):
            self.cleanup_execution(job, pipeline=self.connection, execution=execution)
            job.delete()
            return
        with self.connection.pipeline() as pipeline:
            job.set_status(JobStatus.QUEUED, pipeline=pipeline)
            pipeline.hdel(job.key, "worker_name", "started_at")
            self.cleanup_execution(job, pipeline=pipeline, execution=execution)
            pipeline.lpush(queue_key(job.origin), job.id)
            self._tell(pipeline, job.id, {"state": JobState.QUEUED.value, "worker": ""})
            pipeline.execute()
        ring(self.connection)
        self.log.info("Job %s was given back", job.id, extra=self._placed())

    def _tell(self, redis: Redis, job_id: str, changes: dict[str, Any]) -> None:
        body = {"id": job_id, "changes": changes, "no_trial_runs": True}
        facts.add(redis, facts.new_fact(FactKind.JOB, body))


def _is_true(record: logging.LogRecord) -> bool:
    return record.msg not in UNTRUE
