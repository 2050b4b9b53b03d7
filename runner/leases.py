"""The lease under which a worker runs a job: renewed while it lives, taken back in one step or not at all.

Scores of a lease are by the clock of Redis, so that the clocks of the machines may differ.
"""

from __future__ import annotations

from redis import Redis
from rq.executions import Execution
from rq.job import Job

from flowml.runner.queue import executions_key, intermediate_key
from flowml.runner.taking import queue_key, running_key

# KEYS: execution, executions of the job, running jobs of the queue, job.
# ARGV: lease in seconds, member of the running jobs, id of the execution, worker, fields of the execution...
# Answers 1 while the lease is ours, 2 if it had run out and nobody took the job, 0 if the job is lost to us.
_RENEW = """
local answer = 1
if redis.call('EXISTS', KEYS[1]) == 0 then
  local job = redis.call('HMGET', KEYS[4], 'status', 'worker_name')
  if job[1] ~= 'started' and job[1] ~= 'queued' then return 3 end
  if job[1] ~= 'started' or job[2] ~= ARGV[4] then return 0 end
  local prefix = string.sub(KEYS[1], 1, -#ARGV[3] - 1)
  for _, other in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if other ~= ARGV[3] and redis.call('EXISTS', prefix .. other) == 1 then return 0 end
  end
  for index = 5, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1]) end
  answer = 2
end
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
redis.call('HSET', KEYS[1], 'last_heartbeat', at)
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], at + ARGV[1] + 60, ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[1] + 60)
redis.call('ZADD', KEYS[3], at + ARGV[1], ARGV[2])
return answer
"""

# KEYS: executions of a worker. ARGV: prefix of executions. Ends the leases that a worker left behind.
_EXPIRE = """
local members = redis.call('SMEMBERS', KEYS[1])
for _, member in ipairs(members) do redis.call('DEL', ARGV[1] .. member) end
redis.call('DEL', KEYS[1])
return members
"""

LOST, OURS, TAKEN_BACK, ENDED = 0, 1, 2, 3


def renew(redis: Redis, job: Job, execution: Execution, worker: str, lease_s: int) -> int:
    """OURS, TAKEN_BACK where the lease had run out but nobody took the job, ENDED, or LOST."""
    fields = [part for pair in execution.serialize().items() for part in pair]
    keys = [execution.key, executions_key(job.id), running_key(job.origin), job.key]
    values = [str(lease_s), execution.composite_key, execution.id, worker, *map(str, fields)]
    return int(redis.eval(_RENEW, len(keys), *keys, *values))


def settle(redis: Redis, job: Job) -> None:
    """The lease exists: the job leaves the intermediate list."""
    redis.lrem(intermediate_key(queue_key(job.origin)), 1, job.id)


def expire_all(redis: Redis, worker: str, queues: tuple[str, ...]) -> int:
    """Ends the leases that an earlier process of this worker left; the reaper has their jobs run again."""
    members = redis.eval(_EXPIRE, 1, f"rq:worker:{worker}:executions", "rq:execution:")
    for name in queues if members else ():
        redis.zadd(running_key(name), dict.fromkeys(members, 0), xx=True)
    return len(members)
