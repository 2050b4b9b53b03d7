"""Which workers are asked to help a study: those that have nothing else to do, up to the limit of the job."""

from __future__ import annotations

from collections.abc import Collection

from redis import Redis

from flowml.runner import queue
from flowml.runner.needs import Serves, serves
from flowml.runner.tiers import HELP_QUEUE, may_help, memory_for_trials
from flowml.storage.records import Dataset, Job, Worker


class Invitations:
    """`own` is the name of the lead's worker. One invitation waits for each worker that could take it."""

    def __init__(self, job: Job, dataset: Dataset, own: str) -> None:
        self._job, self._own = job, own
        self._arguments = {"job": job.to_dict(), "dataset": dataset.to_dict()}

    def send(self, redis: Redis, online: Collection[Worker], lanes: Collection[str]) -> int:
        """Returns how many were sent. `lanes` are the workers that help already."""
        free = [worker for worker in online if worker.name not in lanes and self._may_ask(worker)]
        most = self._job.spec.machines
        room = len(free) if most is None else min(len(free), most - 1 - len(lanes))
        missing = room - len(queue.invitations(redis, self._job.id))
        for _ in range(missing):
            queue.invite(redis, self._job.id, self._arguments)
        return max(0, missing)

    def hopes(self, online: Collection[Worker]) -> tuple[Serves, ...]:
        """What those workers serve that help now or could later."""
        if self._job.spec.machines == 1:
            return ()
        others = [worker for worker in online if worker.name != self._own and may_help(worker.queues)]
        return tuple(serves(memory_for_trials(worker), worker.capabilities) for worker in others)

    def withdraw(self, redis: Redis) -> None:
        for id in queue.invitations(redis, self._job.id):
            queue.withdraw(redis, HELP_QUEUE, id)

    def _may_ask(self, worker: Worker) -> bool:
        return worker.state == "idle" and worker.name != self._own and may_help(worker.queues)
