"""Rings RQ for a job that is written down. The job row is the truth; whatever Redis loses is queued again."""

from __future__ import annotations

from redis import Redis

from flowml.runner import queue
from flowml.storage.records import Dataset, Job

OVERTIME = 3.0  # a job that runs so many times its budget, and the grace, is stuck
GRACE_S = 1800


def enqueue_job(redis: Redis, job: Job, dataset: Dataset) -> bool:
    """Queues the job with all that a worker needs to run it. False if Redis has it already."""
    arguments = {"job": job.to_dict(), "dataset": dataset.to_dict()}
    timeout_s = int(job.spec.budget_s * OVERTIME) + GRACE_S
    return queue.enqueue(redis, job.queue, job.id, arguments, timeout_s)
