"""The REST API as one ASGI application, to be mounted at /api."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.metadata import version
from threading import Event
from typing import Any, cast

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from flowml.runner.studio import Studio
from flowml.storage.errors import FlowMLError
from flowml.ui.api import (
    batch,
    blobs,
    datasets,
    explanations,
    foreign,
    inspection,
    keeping,
    live,
    models,
    operate,
    people,
    questions,
    registry,
    results,
    training,
    uploads,
)
from flowml.ui.api.access import authorise
from flowml.ui.api.boards import Boards
from flowml.ui.api.docs import add_docs
from flowml.ui.api.etags import ETags
from flowml.ui.api.limits import Limits
from flowml.ui.api.metrics import Measured, Metrics
from flowml.ui.problems import Fault, Problem, answer, fault, problem, told

ROUTERS = (
    uploads.router,
    datasets.router,
    inspection.router,
    training.router,
    results.router,
    models.router,
    explanations.router,
    questions.router,
    registry.router,
    foreign.router,
    batch.router,
    people.router,
    operate.router,
    keeping.router,
    live.router,
    blobs.router,
)

ABOUT = """
Private AutoML for tables. Add a dataset, start a training, follow it, predict.

Every error is a problem document (RFC 9457) with a stable `code`, a `detail` that says what was wrong and
what was expected, and an `advice`. Times are seconds since 1970 (UTC), durations are seconds unless a name
says otherwise, sizes are bytes.
"""

NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
BODY_BYTES = 50 * 2**20  # of JSON; uploads have their own limit
NO_LIMIT = 2**62
EXPECTED = "See /api/docs for what is expected."

log = logging.getLogger(__name__)


def build_api(studio: Studio, stopping: Event | None = None) -> FastAPI:
    """The API of a started studio. `stopping`, once set, ends answers that have no end of their own."""
    api = FastAPI(
        title="FlowML Studio",
        version=version("flowml-studio"),
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
        max_body_size=BODY_BYTES,
        responses=told(401, 403, 429, 500),
        dependencies=[Depends(authorise)],
        exception_handlers={
            FlowMLError: explain,
            RequestValidationError: explain_request,
            HTTPException: explain_route,
            ClientDisconnect: forget,
            Exception: explain_nothing,
        },
    )
    api.state.studio = studio
    api.state.stopping = stopping or Event()
    api.state.limits = Limits(studio.settings.rate_limit)
    api.state.under_way = set()
    api.state.boards = Boards()
    api.state.metrics = Metrics(studio)
    api.add_middleware(ETags)
    api.add_middleware(Measured, metrics=api.state.metrics)
    for router in ROUTERS:
        api.include_router(router)
    add_docs(api)
    _tell_problems(api)
    return api


def _tell_problems(api: FastAPI) -> None:
    """Put our problem documents in the place of FastAPI's own form of errors."""
    original = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is not None:
            return api.openapi_schema
        document = original()
        schemas = document["components"]["schemas"]
        form = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= form.pop("$defs", {}) | {"Problem": form}
        for theirs in ("HTTPValidationError", "ValidationError"):
            schemas.pop(theirs, None)
        for operation in (each for path in document["paths"].values() for each in path.values()):
            if "422" in operation["responses"]:
                operation["responses"]["422"] = told(422)[422]
        return document

    api.openapi = openapi  # type: ignore[method-assign]


async def explain(_: Request, error: Exception) -> Response:
    assert isinstance(error, FlowMLError)
    if error.status >= 500:
        log.warning("%s", error)
    return problem(error)


async def explain_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes):  # it was not looked into
        kind = request.headers.get("content-type", "")[:80] or "a body of no type"
        return answer(422, "request", f"The body came as {kind}.", "Send application/json.")
    faults = [Fault(where=_place(each["loc"]), message=each["msg"]) for each in error.errors()]
    first = faults[0]
    return answer(422, "request", f"{first.where}: {first.message}.", EXPECTED, faults)


def _place(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location)


async def explain_route(request: Request, error: Exception) -> Response:
    """No such route, or not with this method: an answer for programs, never the web page."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        where = f"{request.method} {request.url.path}"
        return answer(404, "no_route", f"There is no {where[:300]}.", "See /api/docs for all routes.")
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        refused = answer(405, "no_method", f"{request.method} is not possible here.", f"Possible: {allowed}.")
        refused.headers["Allow"] = allowed
        return refused
    if error.status_code == 413:
        most = f"{BODY_BYTES / 2**20:.0f} MiB"
        too_long = answer(
            413, "body_too_large", f"The body is longer than {most}.", "Send fewer rows at a time."
        )
        # The limit that refused it would put its own plain text in the place of this answer.
        return cast(Response, RequestBodyLimitMiddleware(too_long, NO_LIMIT))
    if error.status_code == 400:
        return answer(
            422,
            "request",
            "The body is no JSON in UTF-8, or its lists stand too deep in each other.",
            EXPECTED,
        )
    return answer(error.status_code, "http", str(error.detail))


async def forget(_: Request, __: Exception) -> Response:
    """The asker has gone in the middle of an upload: nobody reads this."""
    return answer(400, "gone", "The connection was closed before the body had ended.")


async def explain_nothing(request: Request, error: Exception) -> Response:
    """A fault of ours: logged with its trace, told without it."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return fault()
