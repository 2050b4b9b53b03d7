"""The queues on Redis: RQ's, made so that no job is lost on its way and no foreign code runs.

Payloads are JSON, functions come from a list of allowed ones; callbacks, webhooks and repeats are ignored.
A job is taken by one atomic step over all queues of a worker into the queue's intermediate list, and leaves
that only when its lease exists.
"""

from __future__ import annotations

import logging
import secrets
import time
import zlib
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, ClassVar

from redis import Redis
from rq import Queue, Retry
from rq.exceptions import DequeueTimeout, DuplicateJobError, StopRequested
from rq.job import Job

from flowml.runner.bell import Listening, ring
from flowml.runner.connection import AWAY
from flowml.runner.taking import JOB_PREFIX, LIMIT, Found, Taker, queue_key
from flowml.runner.tiers import HELP_QUEUE, QUEUES
from flowml.storage.errors import NotAllowed
from flowml.storage.records import Json

TRAIN = "flowml.runner.jobs.train"
PREDICT = "flowml.runner.jobs.predict"
ANSWER = "flowml.runner.jobs.answer"
VERIFY = "flowml.runner.jobs.verify"
HELP = "flowml.runner.jobs.help_study"
ALLOWED = frozenset({TRAIN, PREDICT, ANSWER, VERIFY, HELP})
WITH_CHILDREN = frozenset({TRAIN, VERIFY, HELP})  # they evaluate trials

INVITATION = "help-"  # how the ids of invitations begin
SOON_S = 0.1  # until the next look where something is in sight,
LOOK_S = 1.0  # and where nothing is, should the bell not ring
UNREADABLE_S = 5.0  # until the next look
LARGEST_JOB = 32 * 2**20  # what a job needs to be told is much less
COMPRESSED = (b"data", b"exc_info")  # fields of a job that RQ unpacks
LOST_MACHINES = 9  # so often a job runs again after its worker was lost before it got any further
RESULT_KEPT_S = 86_400
FAILURE_KEPT_S = 7 * 86_400
HELP_TIMEOUT_S = 7 * 86_400  # a helper leaves when its study is over, however long that takes
HELP_FAILURE_KEPT_S = 600

# KEYS: queue, job. ARGV: job id. Answers 1 if the job was still waiting and is gone now.
_WITHDRAW = """
if redis.call('LREM', KEYS[1], 0, ARGV[1]) == 0 then return 0 end
redis.call('DEL', KEYS[2])
return 1
"""

# KEYS: intermediate list, queue, executions of the job. ARGV: job id.
_PUT_BACK = """
if redis.call('LREM', KEYS[1], 0, ARGV[1]) == 0 then return 0 end
if redis.call('ZCARD', KEYS[3]) == 0 then redis.call('LPUSH', KEYS[2], ARGV[1]) end
return 1
"""

# KEYS: job. ARGV: how often it may run again.
_WENT_ON = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'retries_left', ARGV[1]) end
"""

log = logging.getLogger(__name__)


class FlowJob(Job):  # type: ignore[misc]  # RQ is not followed by mypy
    allowed: ClassVar[frozenset[str]] = ALLOWED

    @property
    def func(self) -> Any:
        if self.instance is not None or self.func_name not in self.allowed:
            raise NotAllowed(f"{self.func_name!r} is not one of the functions that a worker runs.")
        return super().func

    def restore(self, raw_data: Any) -> Any:
        for field in COMPRESSED:
            _refuse_bomb(raw_data.get(field, b""))
        restored = super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks: list[object] = []
        self.repeats_left = None
        return restored


class FlowQueue(Queue):  # type: ignore[misc]
    job_class = FlowJob
    taker: Taker | None = None  # the worker that serves it,
    at_rest: Callable[[], bool] | None = None  # and what it does while there is no job: is there more of it?

    @classmethod
    def dequeue_any(
        cls,
        queues: Sequence[Queue],
        timeout: int | None,
        connection: Redis | None = None,
        job_class: type[Job] | None = None,
        serializer: Any = None,
        death_penalty_class: Any = None,
    ) -> tuple[Job, Queue] | None:
        """The next job of the first queue that has one. Looks, for a blocking pop can lose what it popped."""
        assert connection is not None
        deadline = time.monotonic() + (timeout or 0)
        names = [queue.name for queue in queues]
        taker = next((queue.taker for queue in queues if queue.taker is not None), None) or Taker()
        bell = Listening(connection)
        while True:
            taken = cls._take(taker, connection, names)
            if taken is not None:
                found = cls._open(
                    taken.queue, taken.job, connection, job_class, serializer, death_penalty_class
                )
                if found is not None:
                    return found
                continue
            if timeout is None:
                return None
            more = any(each.at_rest() for each in queues[:1] if each.at_rest is not None)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise DequeueTimeout(timeout, names)
            bell.wait(min(left_s, SOON_S if more or taker.hesitates else LOOK_S))

    @classmethod
    def _take(cls, taker: Taker, connection: Redis, names: Sequence[str]) -> Found | None:
        """An error would end the worker, and whatever somebody wrote to Redis may be mended again."""
        try:
            return taker.take(connection, names)
        except (*AWAY, StopRequested):
            raise
        except Exception as error:
            log.error("Redis holds what cannot be read, so no job is taken: %r", error)
            time.sleep(UNREADABLE_S)
            return None

    @classmethod
    def _open(
        cls, key: str, job_id: bytes, connection: Redis, job_class: Any, serializer: Any, death_penalty: Any
    ) -> tuple[Job, Queue] | None:
        """The job, or None if it is gone, or cannot be read and was parked: an error would end the worker."""
        try:
            if _size(connection, job_id) > LARGEST_JOB:
                raise NotAllowed(f"It is larger than {LARGEST_JOB // 2**20} MiB.")
            found = cls._fetch_dequeued_job(
                connection, key, job_id.decode(), job_class, serializer, death_penalty
            )
            if found is not None:
                found[0].args  # noqa: B018  # reads the payload
                return found  # type: ignore[no-any-return]
        except (*AWAY, StopRequested):  # the reaper puts it back
            raise
        except Exception as error:  # whatever somebody wrote there
            log.error("Job %r in Redis cannot be read and is set aside: %r", job_id, error)
            connection.rpush(poison_key(key), job_id)
        connection.lrem(intermediate_key(key), 1, job_id)  # type: ignore[arg-type]  # bytes will do
        return None


class Place(StrEnum):
    """Where Redis has a job."""

    WAITING = "waiting"
    TAKEN = "taken"  # by a worker that has no lease yet
    RUNNING = "running"  # under a lease, which may have expired
    ENDED = "ended"
    ADRIFT = "adrift"  # known, but in no list: nobody will run it
    UNKNOWN = "unknown"


def queue(redis: Redis, name: str) -> FlowQueue:
    return FlowQueue(name, connection=redis, serializer="json")


def enqueue(
    redis: Redis,
    name: str,
    job_id: str,
    arguments: Json,
    timeout_s: int,
    function: str = TRAIN,
    needs: Json | None = None,
) -> bool:
    """Adds a job with named JSON arguments. False if Redis has a job of that id already.

    `needs` are those of `taking`: a tier, memory.
    """
    try:
        queue(redis, name).enqueue_call(
            function,
            kwargs=arguments,
            job_id=job_id,
            unique=True,
            timeout=timeout_s,
            retry=Retry(max=LOST_MACHINES),
            result_ttl=RESULT_KEPT_S,
            failure_ttl=FAILURE_KEPT_S,
            description=f"{function.rpartition('.')[2]} {job_id}",
            meta=needs,
        )
    except DuplicateJobError:
        return False
    ring(redis)
    return True


def invite(redis: Redis, job_id: str, arguments: Json) -> None:
    """Asks one worker to help a study. Should it fail, the lead invites another."""
    queue(redis, HELP_QUEUE).enqueue_call(
        HELP,
        kwargs=arguments,
        job_id=f"{INVITATION}{job_id}-{secrets.token_hex(4)}",
        timeout=HELP_TIMEOUT_S,
        result_ttl=0,
        failure_ttl=HELP_FAILURE_KEPT_S,
        description=f"help {job_id}",
    )
    ring(redis)


def invitations(redis: Redis, job_id: str) -> tuple[str, ...]:
    """Those that no worker has taken yet."""
    waiting = (_text(id) for id in redis.lrange(queue_key(HELP_QUEUE), 0, -1))
    return tuple(id for id in waiting if helped(id) == job_id)


def helped(id: str) -> str:
    """The job whose study an invitation is for; '' for a job of a user."""
    return id.removeprefix(INVITATION).rpartition("-")[0] if id.startswith(INVITATION) else ""


def next_job(redis: Redis, names: Sequence[str], taker: Taker) -> str:
    """A job that waits in one of these queues and that the worker may run now, or ''."""
    found = taker.look(redis, [name for name in names if name != HELP_QUEUE])
    return _text(found.job) if found else ""


def withdraw(redis: Redis, name: str, job_id: str) -> bool:
    """Takes back a job that waits. False if it does not: a worker has it, or it is not known."""
    return bool(redis.eval(_WITHDRAW, 2, queue_key(name), FlowJob.key_for(job_id), job_id))


def went_on(redis: Redis, job_id: str) -> None:
    """A job that gets further on each machine is not given up, however many it loses. Also on a pipeline."""
    redis.eval(_WENT_ON, 1, FlowJob.key_for(job_id), LOST_MACHINES)


def retries_left(redis: Redis, job_id: str) -> int:
    return int(redis.hget(FlowJob.key_for(job_id), "retries_left") or 0)


def forget(redis: Redis, job_id: str) -> None:
    """Removes what Redis knows of a job that no worker runs."""
    redis.delete(FlowJob.key_for(job_id))


def place(redis: Redis, name: str, job_id: str) -> Place:
    """Looked up in one step, so that a job on its way is seen once."""
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.hget(FlowJob.key_for(job_id), "status")
        pipeline.lpos(queue_key(name), job_id)
        pipeline.lpos(intermediate_key(queue_key(name)), job_id)
        pipeline.zcard(executions_key(job_id))
        status, waiting, taken, running = pipeline.execute()
    if status is None:
        return Place.UNKNOWN
    if status in (b"finished", b"failed", b"stopped", b"canceled"):
        return Place.ENDED
    if waiting is not None:
        return Place.WAITING
    if taken is not None:
        return Place.TAKEN
    return Place.RUNNING if running else Place.ADRIFT


def taken(redis: Redis, name: str) -> tuple[str, ...]:
    """Jobs that a worker took and for which it has no lease yet."""
    return tuple(_text(id) for id in redis.lrange(intermediate_key(queue_key(name)), 0, -1))


def put_back(redis: Redis, name: str, job_id: str) -> bool:
    """Makes a taken job wait again, first in its queue, unless a worker has a lease on it by now."""
    waiting = queue_key(name)
    keys = (intermediate_key(waiting), waiting, executions_key(job_id))
    found = bool(redis.eval(_PUT_BACK, len(keys), *keys, job_id))
    ring(redis)
    return found


def failure(redis: Redis, job_id: str) -> str:
    """The last line of what RQ noted about a job's failure, or ''."""
    job = FlowJob.fetch(job_id, connection=redis, serializer="json")
    latest = job.latest_result()
    text = (latest.exc_string or "") if latest is not None else ""
    return str(text).strip().splitlines()[-1] if text.strip() else ""


def depths(redis: Redis) -> dict[str, int]:
    """How many jobs wait, by queue."""
    with redis.pipeline(transaction=False) as pipeline:
        for name in QUEUES:
            pipeline.llen(queue_key(name))
        return dict(zip(QUEUES, pipeline.execute(), strict=True))


def set_limit(redis: Redis, jobs: int) -> None:
    """How many jobs may run at once, over all workers; 0 for no limit."""
    redis.set(LIMIT, jobs)


def intermediate_key(queue_key: str) -> str:
    return f"{queue_key}:intermediate"


def poison_key(queue_key: str) -> str:
    return f"{queue_key}:poison"


def executions_key(job_id: str) -> str:
    return f"rq:executions:{job_id}"


def _size(redis: Redis, job_id: bytes) -> int:
    """Bytes of what a job is written as, of all its fields."""
    return int(redis.memory_usage(JOB_PREFIX.encode() + job_id, samples=0) or 0)


def _refuse_bomb(packed: bytes) -> None:
    """Raises NotAllowed for what would become larger than a job may be; no more than that is unpacked."""
    try:
        size = len(zlib.decompressobj().decompress(packed, LARGEST_JOB + 1))
    except zlib.error:  # RQ takes it as it is
        return
    if size > LARGEST_JOB:
        raise NotAllowed(f"It is larger than {LARGEST_JOB // 2**20} MiB when it is unpacked.")


def _text(id: bytes | str) -> str:
    return id.decode(errors="replace") if isinstance(id, bytes) else id
