"""How the studio and its workers are, in figures and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redis import Redis
from redis.exceptions import RedisError

from flowml.runner import facts, roster
from flowml.runner.settings import Settings
from flowml.runner.tiers import lowest, why_unserved
from flowml.storage import jobs
from flowml.storage.db import Database
from flowml.storage.errors import FlowMLError
from flowml.storage.records import ACTIVE, Job, Json, Worker
from flowml.storage.version import VERSION

MANY_FACTS = 100_000
FULL = 0.8  # of the memory that Redis may use
NO_WORKER = (
    "No worker is online, so jobs wait. `flowml workers start` starts one on the studio's machine; "
    "`flowml-worker start` adds this or another machine."
)


def cluster(
    settings: Settings, workers: Sequence[Worker], queues: dict[str, int], waiting: Sequence[Job] = ()
) -> Json:
    """`waiting` are the jobs that no worker has taken."""
    online = [worker for worker in workers if worker.state != "offline"]
    machines = {worker.capabilities.hostname: worker.capabilities for worker in online}
    return {
        "mode": settings.cluster_mode,
        "online": len(online),
        "workers": [worker.to_dict() for worker in workers],
        "queues": queues,
        "cpus": sum(machine.cpus for machine in machines.values()),
        "ram_total": sum(machine.ram_total for machine in machines.values()),
        "gpus": [gpu.to_dict() for machine in machines.values() for gpu in machine.gpus],
        "advice": list(_advice(online, waiting)) if online else [NO_WORKER],
    }


def _advice(online: Sequence[Worker], waiting: Sequence[Job]) -> Iterator[str]:
    active = [worker for worker in online if not worker.told]
    if not active:
        yield "All workers online are paused, so jobs wait. `flowml workers resume NAME` lets one go on."
        return
    for job in waiting:
        tier = job.queue if job.spec.vram is None else lowest(job.spec.vram)
        missing = why_unserved(tier, job.spec.memory, active)
        if missing:
            yield f"Job {job.id} waits for {missing}: no worker that takes jobs now has that."


def health(redis: Redis, db: Database) -> Json:
    database, waiting_jobs = _database(db)
    server = _redis(redis)
    advice = [*database.pop("advice"), *server.pop("advice")]
    if server["ok"] and not server["workers_online"]:
        advice.append(NO_WORKER)
    return {
        "status": "ok" if database["ok"] and server["ok"] else "degraded",
        "version": VERSION,
        "database": database,
        "redis": {"ok": server["ok"], "version": server["version"], "memory": server["memory"]},
        "workers_online": server["workers_online"],
        "facts_waiting": server["facts_waiting"],
        "jobs_active": waiting_jobs,
        "advice": advice,
    }


def _database(db: Database) -> tuple[Json, int]:
    try:
        with db.read() as cursor:
            active = jobs.count(cursor, states=ACTIVE)
    except FlowMLError as error:
        return {"ok": False, "advice": [str(error)]}, 0
    return {"ok": True, "advice": []}, active


def _redis(redis: Redis) -> Json:
    try:
        server, memory = redis.info("server"), redis.info("memory")
        waiting, online = facts.waiting(redis), len(roster.online(redis))
    except RedisError as error:
        gone = {"version": "", "memory": 0, "workers_online": 0, "facts_waiting": 0}
        return {
            "ok": False,
            **gone,
            "advice": [f"Redis does not answer: {error}. Jobs wait until it is back."],
        }
    advice = []
    if waiting > MANY_FACTS:
        advice.append(f"{waiting} facts wait to be recorded; the studio's disk may be too slow or full.")
    if memory["maxmemory"] and memory["used_memory"] > FULL * memory["maxmemory"]:
        advice.append("Redis is nearly full; raise its maxmemory.")
    if memory["maxmemory"] and memory.get("maxmemory_policy", "noeviction") != "noeviction":
        advice.append("Redis forgets jobs when it is full; set its maxmemory-policy to noeviction.")
    version = str(server.get("valkey_version") or server["redis_version"])
    found = {"version": version, "memory": int(memory["used_memory"])}
    return {"ok": True, **found, "workers_online": online, "facts_waiting": waiting, "advice": advice}
