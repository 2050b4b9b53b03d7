"""How a worker takes a job: the first of its queues that it may run, in one step that loses nothing.

A job may need more than its queue says (a GPU although it is in `priority`, memory): then it waits for a
worker that has it, and others behind it go first. A worker that was told to pause takes nothing. Where other
machines are idle, one that works already leaves them a moment to take the job. Keys that hold something else
than they should are passed over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redis import Redis

from flowml.runner import roster, tending
from flowml.runner.tiers import HELP_QUEUE, QUEUES
from flowml.storage.records import Worker

LIMIT = "flowml:limit:jobs"  # how many jobs may run at once; absent or 0: no limit
HEAD_START_S = 0.8  # of idle machines before busy ones
LOOKED_AT = 100  # jobs at the head of a queue

# KEYS: queues of this worker, those of jobs before those of help, then the running jobs of all queues.
# ARGV: number of queues of jobs, number of all queues, key of the limit, which help does not count towards,
# key of what the worker was told, its memory, prefixes of jobs and queues, how many jobs to look at, and
# whether to take or to look.
_TAKE = """
local first, queues = 1, tonumber(ARGV[2])
local told = redis.pcall('GET', ARGV[4])
if told == 'pause' or told == 'drain' then return false end
local function number(reply)
  if type(reply) == 'table' or not reply then return 0 end
  return tonumber(reply) or 0
end
local limit = number(redis.pcall('GET', ARGV[3]))
if limit > 0 then
  local running = 0
  for index = queues + 1, #KEYS do running = running + number(redis.pcall('ZCARD', KEYS[index])) end
  if running >= limit then first = tonumber(ARGV[1]) + 1 end
end
local served = {}
for index = 1, queues do served[KEYS[index]] = true end
local function fits(id)
  local length = redis.pcall('HSTRLEN', ARGV[6] .. id, 'meta')
  if type(length) ~= 'number' or length > 10000 then return true end
  local meta = redis.call('HGET', ARGV[6] .. id, 'meta')
  local read, needs = pcall(cjson.decode, meta)
  if not read or type(needs) ~= 'table' then return true end
  if type(needs.memory) == 'number' and needs.memory > tonumber(ARGV[5]) then return false end
  return type(needs.tier) ~= 'string' or served[ARGV[7] .. needs.tier] == true
end
for index = first, queues do
  for _, id in ipairs(redis.pcall('LRANGE', KEYS[index], 0, tonumber(ARGV[8]) - 1)) do
    if fits(id) then
      if ARGV[9] == 'take' then
        redis.call('LREM', KEYS[index], 1, id)
        redis.call('RPUSH', KEYS[index] .. ':intermediate', id)
      end
      return {KEYS[index], id}
    end
  end
end
return false
"""


@dataclass(frozen=True)
class Found:
    queue: str  # its key
    job: bytes  # its id, as it was written


class Taker:
    """One worker with what it has; `memory` is in bytes, None for what nobody knows the limit of.

    `before` is called when it is about to take a job; what it raises keeps it from that.
    """

    before: Callable[[Redis], None] | None = None

    def __init__(self, name: str = "", memory: int | None = None) -> None:
        self.name, self._memory = name, memory
        self._seen: tuple[bytes, float] = (b"", 0.0)  # the job that waited at the last look, and since when
        self._yields = False
        self.hesitates = False  # something waits that it leaves to others for the moment

    def take(self, redis: Redis, queues: Sequence[str]) -> Found | None:
        """The next job of the first of these queues that has one for us."""
        if not self._may_take(redis, queues):
            return None
        if self.before is not None:
            self.before(redis)
        return self._ask(redis, queues, "take")

    def look(self, redis: Redis, queues: Sequence[str]) -> Found | None:
        """What `take` would take, were we alone."""
        return self._ask(redis, queues, "look")

    def _ask(self, redis: Redis, queues: Sequence[str], how: str) -> Found | None:
        keys = [queue_key(name) for name in queues]
        of_jobs = sum(name != HELP_QUEUE for name in queues)
        memory = 2**62 if self._memory is None else self._memory
        told = tending.KEY.format(self.name)
        arguments: list[str | int] = [of_jobs, len(keys), LIMIT, told, memory, JOB_PREFIX, QUEUE_PREFIX]
        arguments += [LOOKED_AT, how]
        script = redis.register_script(_TAKE)
        found = script(keys=keys + [running_key(name) for name in QUEUES], args=arguments)
        return Found(found[0].decode(), found[1]) if found else None

    def _may_take(self, redis: Redis, queues: Sequence[str]) -> bool:
        """Whether something waits for us, and idle machines had their moment to take it."""
        found = self._ask(redis, queues, "look")
        self.hesitates = found is not None
        if found is None:
            return False
        if found.job != self._seen[0]:
            self._seen = (found.job, time.monotonic())
            self._yields = yields(roster.online(redis), self.name, found.queue.removeprefix(QUEUE_PREFIX))
        return not self._yields or time.monotonic() - self._seen[1] > HEAD_START_S


def yields(online: Sequence[Worker], name: str, queue: str) -> bool:
    """Whether a worker's machine has work already, while one that could take this job has none."""
    own = next((worker for worker in online if worker.name == name), None)
    if own is None:
        return False
    hosts: dict[str, list[Worker]] = {}
    for worker in online:
        if worker.name != name:
            hosts.setdefault(worker.capabilities.hostname, []).append(worker)
    beside = hosts.pop(own.capabilities.hostname, [])
    works = any(worker.state == "busy" for worker in beside)
    return works and any(_is_free_for(queue, workers) for workers in hosts.values())


def _is_free_for(queue: str, workers: Sequence[Worker]) -> bool:
    serves = any(worker.state == "idle" and queue in (*worker.queues, HELP_QUEUE) for worker in workers)
    return serves and all(worker.state != "busy" for worker in workers)


QUEUE_PREFIX, JOB_PREFIX = "rq:queue:", "rq:job:"


def queue_key(name: str) -> str:
    return QUEUE_PREFIX + name


def running_key(name: str) -> str:
    return f"rq:wip:{name}"
