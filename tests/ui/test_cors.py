"""Pages of other origins: none may call the API, unless the settings name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from flowml.ui.cors import Cors
from flowml.ui.guard import Guard, Hosts

FRIEND, FOE = "https://friend.example", "https://foe.example"


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.method, headers={"ETag": '"x"'})


@pytest.fixture(scope="module")
def local(serve: Callable[[ASGIApp], str]) -> Iterator[httpx.Client]:
    origins = frozenset({FRIEND})
    middleware = [
        Middleware(Guard, hosts=Hosts.of("127.0.0.1"), policy="", origins=origins),
        Middleware(Cors, origins=origins),
    ]
    routes = [Route("/{path:path}", echo, methods=["GET", "POST"])]
    with httpx.Client(base_url=serve(Starlette(routes=routes, middleware=middleware))) as client:
        yield client


def preflight(local: httpx.Client, origin: str) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    return local.options("/api/datasets", headers={"Origin": origin, **asked})


def test_a_page_that_is_named_may_call_the_api(local: httpx.Client) -> None:
    allowed = preflight(local, FRIEND)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, FRIEND)
    assert "authorization" in allowed.headers["access-control-allow-headers"].lower()
    answer = local.post("/api/datasets", headers={"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, FRIEND)
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers  # no cookie of ours goes there


def test_a_page_that_is_not_named_may_not(local: httpx.Client) -> None:
    assert "access-control-allow-origin" not in preflight(local, FOE).headers
    assert local.post("/api/datasets", headers={"Origin": FOE}).status_code == 403
    assert "access-control-allow-origin" not in local.get("/api/datasets", headers={"Origin": FOE}).headers


def test_only_the_api_is_opened(local: httpx.Client) -> None:
    assert local.post("/login", headers={"Origin": FRIEND}).status_code == 403
    assert "access-control-allow-origin" not in local.get("/data", headers={"Origin": FRIEND}).headers
