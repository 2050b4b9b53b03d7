"""Workers, cluster, counts, logs and health."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flowml.runner.studio import Studio
from flowml.storage.records import Level
from flowml.ui.api.bodies.operate import Cluster, Health, LogLineAnswer, Stats, WorkerAnswer
from flowml.ui.api.studio import TheClient
from flowml.ui.door import PERSON
from flowml.ui.problems import told

router = APIRouter(tags=["operate"])


@router.get("/workers", responses=told(503))
def list_workers(client: TheClient) -> list[WorkerAnswer]:
    """Workers online, then those known from before."""
    return [WorkerAnswer.of_worker(worker) for worker in client.workers()]


@router.get("/cluster", responses=told(503))
def get_cluster(client: TheClient) -> Cluster:
    """Queues, and what all machines have together."""
    return Cluster(**client.cluster())


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


@router.get("/health", responses=told(503))
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
