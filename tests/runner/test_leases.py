"""What a renewal answers, by what Redis knows of the job."""

from __future__ import annotations

import pytest
from redis import Redis
from rq.executions import Execution
from rq.job import JobStatus

from flowml.runner import leases, queue
from flowml.runner.queue import FlowJob


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (JobStatus.STARTED, leases.TAKEN_BACK),
        (JobStatus.FINISHED, leases.ENDED),
        (JobStatus.FAILED, leases.ENDED),
        (JobStatus.QUEUED, leases.LOST),
    ],
)
def test_a_lease_that_is_gone_is_answered_by_the_state_of_the_job(
    redis: Redis, status: JobStatus, answer: int
) -> None:
    queue.enqueue(redis, "cpu", "job-1", {}, 600, "workbench.mark")
    job = FlowJob.fetch("job-1", connection=redis, serializer="json")
    job.set_status(status)
    redis.hset(job.key, "worker_name", "w1")
    execution = Execution("1", job.id, redis)
    assert leases.renew(redis, job, execution, "w1", 30) == answer
