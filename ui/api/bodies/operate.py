"""Workers, the cluster, logs and health, as the API tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from flowml.storage.records import Capabilities, Gpu, GpuLoad, Level, Worker
from flowml.ui.api.bodies.base import Answer

if TYPE_CHECKING:
    from flowml.runner.embedded import Endpoint


class WorkerAnswer(Answer):
    name: str = Field(examples=["lab-2"])
    status: str = Field(description="idle, busy, paused or offline.", examples=["idle"])
    queues: list[str] = Field(description="What it serves, first come first.", examples=[["priority", "cpu"]])
    job_id: str = Field("", description="The job it works on.")
    told: str = Field("", description="pause or drain where an administrator told it so.")
    capabilities: Capabilities = Field(description="What its machine can do, as probed.")
    started_at: float = Field(description="Seconds since 1970, UTC.")
    heartbeat: float = Field(description="When it was last heard of; seconds since 1970, UTC.")
    cpu_percent: float | None = None
    memory_used: int | None = Field(None, description="Bytes.")
    memory_limit: int | None = Field(None, description="Bytes that trials may use together, where it is set.")
    gpu_loads: list[GpuLoad] = Field([], description="How its GPUs are right now.")
    jobs_done: int = 0
    pid: int = 0
    version: str = ""

    @classmethod
    def of_worker(cls, worker: Worker) -> WorkerAnswer:
        return cls(**worker.to_dict() | {"status": worker.state})


class StartedWorker(Answer):
    """A worker that is about to come online."""

    name: str = Field(examples=["lab-2-local-1"])


class MomentAnswer(Answer):
    """CPU and GPU in percent, memory in bytes, temperature in degrees Celsius."""

    at: float = Field(description="Seconds since 1970, UTC.")
    cpu: float | None = None
    memory: int | None = None
    gpu: float | None = None
    vram: int | None = None
    temperature: float | None = None
    job: str = ""


class Cluster(Answer):
    """What all online machines have together."""

    mode: str = Field(examples=["local"])
    online: int = Field(description="Workers that were heard of just now.")
    queues: dict[str, int] = Field(description="Waiting jobs by queue.", examples=[{"cpu": 0}])
    cpus: int
    ram_total: int = Field(description="Bytes.")
    gpus: list[Gpu]
    advice: list[str] = Field(default=[], description="What is missing, in words.")


class JoinAnswer(Answer):
    """How another machine joins as a worker. The token is a secret."""

    command: str = Field(description="For a shell on the other machine, with FlowML installed.")
    host: str = Field(description="Where the studio's Redis listens.")
    port: int
    token: str

    @classmethod
    def of_endpoint(cls, endpoint: Endpoint) -> JoinAnswer:
        from flowml.runner.joining import join_command  # loads Redis

        return cls(
            command=join_command(endpoint),
            host=endpoint.host,
            port=endpoint.port,
            token=endpoint.worker_password,
        )


class Stats(Answer):
    """Counts."""

    datasets: int
    jobs: dict[str, int] = Field(description="By state.", examples=[{"finished": 3}])
    models: int
    workers_online: int


class LogLineAnswer(Answer):
    at: float = Field(description="Seconds since 1970, UTC.")
    level: Level
    source: str = Field(description="studio, or a worker's name.")
    message: str
    job_id: str = ""
    trial: int | None = None


class DatabaseHealth(Answer):
    ok: bool


class RedisHealth(Answer):
    ok: bool
    version: str = Field(examples=["9.1.2"])
    memory: int = Field(description="Bytes in use.")


class Ready(Answer):
    ready: bool


class Health(Answer):
    """How the studio is. It answers with 200 as long as it can say so; `status` tells the rest."""

    status: str = Field(description="ok or degraded.", examples=["ok"])
    version: str = Field(default="", description="This and what follows: for who is signed in.")
    database: DatabaseHealth | None = None
    redis: RedisHealth | None = None
    workers_online: int = 0
    facts_waiting: int = Field(default=0, description="News of workers not yet written down.")
    jobs_active: int = 0
    advice: list[str] = Field(default=[], description="What to do about what is wrong.")
