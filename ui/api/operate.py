"""Workers, cluster, counts, logs and health."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, status
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from flowml.runner.studio import Studio
from flowml.storage.errors import NotReady
from flowml.storage.records import Level
from flowml.ui.api.access import still_in
from flowml.ui.api.bodies.operate import (
    Cluster,
    Health,
    JoinAnswer,
    LogLineAnswer,
    MomentAnswer,
    Ready,
    StartedWorker,
    Stats,
    WorkerAnswer,
)
from flowml.ui.api.follow import Wanted, follow
from flowml.ui.api.metrics import MEDIA_TYPE as MEDIA_TYPE_OF_METRICS
from flowml.ui.api.metrics import Metrics
from flowml.ui.api.pieces import Pieces
from flowml.ui.api.stream import EVENT_STREAM, HEADERS, MEDIA_TYPE
from flowml.ui.api.studio import Stopping, TheClient
from flowml.ui.door import PERSON
from flowml.ui.problems import told

router = APIRouter(tags=["operate"])

TAR = "application/x-tar"
BACKUP: dict[int | str, dict[str, Any]] = {200: {"description": "The file.", "content": {TAR: {}}}}
METRICS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/workers", responses=told(503))
def list_workers(client: TheClient) -> list[WorkerAnswer]:
    """Workers online, then those known from before."""
    return [WorkerAnswer.of_worker(worker) for worker in client.workers()]


@router.post("/workers", status_code=status.HTTP_202_ACCEPTED, responses=told(409, 503))
def start_worker(client: TheClient) -> StartedWorker:
    """Start a worker on the studio's machine, which lives as long as the studio."""
    return StartedWorker(name=client.start_worker())


@router.get("/workers/{name}", responses=told(404, 503))
def get_worker(name: str, client: TheClient) -> WorkerAnswer:
    """One worker, online or known from before."""
    return WorkerAnswer.of_worker(client.worker(name))


@router.delete("/workers/{name}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404, 409, 503))
def forget_worker(name: str, client: TheClient) -> Response:
    """Take an offline worker out of the list."""
    client.forget_worker(name)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/workers/{name}/history", responses=told(503))
def get_worker_history(name: str, client: TheClient) -> list[MomentAnswer]:
    """How it was in the last hour, one entry a heartbeat, oldest first."""
    return [MomentAnswer.of(moment) for moment in client.worker_history(name)]


@router.post("/workers/{name}/pause", responses=told(404, 503))
def pause_worker(name: str, client: TheClient) -> WorkerAnswer:
    """It ends the job that it has, and takes no other until it is told to go on."""
    return WorkerAnswer.of_worker(client.pause_worker(name))


@router.post("/workers/{name}/drain", responses=told(404, 503))
def drain_worker(name: str, client: TheClient) -> WorkerAnswer:
    """It gives its job back, to go on elsewhere, and takes no other until it is told to go on."""
    return WorkerAnswer.of_worker(client.drain_worker(name))


@router.post("/workers/{name}/resume", responses=told(404, 503))
def resume_worker(name: str, client: TheClient) -> WorkerAnswer:
    """It takes jobs again."""
    return WorkerAnswer.of_worker(client.resume_worker(name))


@router.get("/cluster", responses=told(503))
def get_cluster(client: TheClient) -> Cluster:
    """Queues, and what all machines have together."""
    return Cluster(**client.cluster())


@router.get("/cluster/join", responses=told(409))
def get_door(client: TheClient) -> JoinAnswer:
    """The command and the token with which another machine joins as a worker."""
    return JoinAnswer.of_endpoint(client.door())


@router.post("/cluster/join", responses=told(409))
def renew_door(client: TheClient) -> JoinAnswer:
    """Make another token for workers of other machines; the old one lets nobody in."""
    return JoinAnswer.of_endpoint(client.renew_door())


@router.get("/stats", responses=told(503))
def get_stats(client: TheClient) -> Stats:
    """How many datasets, jobs, models and workers there are."""
    return Stats(**client.stats())


@router.get("/logs")
def list_logs(
    client: TheClient,
    text: Annotated[str | None, Query(description="Only lines that hold it.")] = None,
    level: Annotated[Level | None, Query(description="The least severe to show.")] = None,
    source: Annotated[str | None, Query(description="studio, or a worker's name.")] = None,
    job_id: Annotated[str | None, Query()] = None,
    after: Annotated[float | None, Query(description="Only later ones; seconds since 1970, UTC.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
) -> list[LogLineAnswer]:
    """Lines of all machines, oldest first."""
    lines = client.logs(text, level, source, job_id, after, limit)
    return [LogLineAnswer.of(line) for line in lines]


@router.get("/logs/follow", responses=EVENT_STREAM, response_class=StreamingResponse)
async def follow_logs(
    request: Request,
    client: TheClient,
    stopping: Stopping,
    text: Annotated[str | None, Query(description="Only lines that hold it.")] = None,
    level: Annotated[Level | None, Query(description="The least severe to show.")] = None,
    source: Annotated[str | None, Query(description="studio, or a worker's name.")] = None,
    job_id: Annotated[str | None, Query()] = None,
    last: Annotated[int, Query(ge=0, le=1000, description="So many from before first.")] = 20,
) -> StreamingResponse:
    """Lines of all machines as they are said, as Server-Sent Events."""
    wanted = Wanted(text, level, source, job_id)
    told = follow(client, wanted, last, stopping, still_in(request))
    return StreamingResponse(told, media_type=MEDIA_TYPE, headers=HEADERS)


@router.get("/backup", responses=BACKUP, response_class=StreamingResponse)
def get_backup(client: TheClient) -> StreamingResponse:
    """All of the studio as one tar file, for `flowml restore`. The studio goes on working meanwhile."""
    told = {"Content-Disposition": 'attachment; filename="flowml-backup.tar"', "Cache-Control": "no-store"}
    return Pieces(client.backup(), media_type=TAR, headers=told)


@router.get("/metrics", response_class=Response, responses=METRICS)
async def get_metrics(request: Request) -> Response:
    """Figures of the studio in the format of Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return Response(await to_thread.run_sync(metrics.text), media_type=MEDIA_TYPE_OF_METRICS)


@router.get("/ready", responses=told(503))
async def get_ready(request: Request) -> Ready:
    """Whether the studio can do its work now: its database and its Redis answer."""
    told = await to_thread.run_sync(request.app.state.studio.client.health)
    if told["status"] != "ok":
        raise NotReady("The database or Redis does not answer.", "Look at /api/health.")
    return Ready(ready=True)


@router.get("/health")
async def get_health(request: Request) -> Health:
    """How the studio is. Who is not signed in learns its `status` alone."""
    told = await to_thread.run_sync(request.app.state.studio.client.health)
    return Health(**told) if request.scope[PERSON] else Health(status=told["status"])


def plain_health(studio: Studio) -> Callable[[Request], Awaitable[Response]]:
    """The same at /health, where load balancers look for it."""

    async def endpoint(request: Request) -> Response:
        told = await to_thread.run_sync(studio.client.health)
        known = PERSON not in request.scope or request.scope[PERSON] is not None
        return JSONResponse(told if known else {"status": told["status"]})

    return endpoint
