"""Rings RQ for a job that is written down. The job row is the truth; whatever Redis loses is queued again."""

from __future__ import annotations

from redis import Redis

from flowml.runner import queue
from flowml.runner.tiers import lowest
from flowml.storage.records import Dataset, Job, JobKind, Json

OVERTIME = 3.0  # a job that runs so many times its budget, and the grace, is stuck
GRACE_S = 1800
ANSWER_S = 3_600  # a language model on a slow machine
PREDICTION_S = 86_400  # its child is ended much sooner if nothing comes of it


def enqueue_job(redis: Redis, job: Job, dataset: Dataset | None) -> bool:
    """Queues the job with all that a worker needs to run it. False if Redis has it already.

    Prediction and explanation jobs need no dataset: they say themselves what they are about.
    """
    if job.kind is JobKind.PREDICTION:
        arguments = {"job": job.to_dict()}
        return queue.enqueue(redis, job.queue, job.id, arguments, PREDICTION_S, queue.PREDICT)
    if job.kind is JobKind.EXPLANATION:
        return queue.enqueue(redis, job.queue, job.id, {"job": job.to_dict()}, ANSWER_S, queue.ANSWER)
    assert dataset is not None
    arguments = {"job": job.to_dict(), "dataset": dataset.to_dict()}
    if job.kind is JobKind.VERIFICATION:
        return queue.enqueue(redis, job.queue, job.id, arguments, PREDICTION_S, queue.VERIFY)
    timeout_s = int(job.spec.budget_s * OVERTIME) + GRACE_S
    return queue.enqueue(redis, job.queue, job.id, arguments, timeout_s, needs=needs_of(job))


def needs_of(job: Job) -> Json:
    """What a worker must have beside the job's queue, as `taking` reads it."""
    tier = {} if job.spec.vram is None else {"tier": lowest(job.spec.vram)}
    return tier if job.spec.memory is None else {**tier, "memory": job.spec.memory}
