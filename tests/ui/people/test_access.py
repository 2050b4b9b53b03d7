"""Each route by each role, from the table. A route that has no row there fails here, and is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.types import ASGIApp

from flowml.runner.studio import Studio
from flowml.storage.records import SCOPES, Scope, UserRole
from flowml.ui.api.access import ANYBODY, ROUTES
from flowml.ui.api.application import ROUTERS, build_api

As = Callable[[str], httpx.Client]
NOBODY = "nobody"
WHO: dict[str, frozenset[Scope]] = {
    NOBODY: frozenset(),
    "vic": SCOPES[UserRole.VIEWER],
    "ada": SCOPES[UserRole.EDITOR],
    "root": SCOPES[UserRole.ADMIN],
}


def places(studio: Studio) -> Iterator[tuple[str, str]]:
    """Method and path of every route that there is."""
    api = build_api(studio)
    for route in [*api.routes, *(route for router in ROUTERS for route in router.routes)]:
        if isinstance(route, APIRoute):
            yield from ((method, route.path) for method in route.methods)
        elif isinstance(route, APIWebSocketRoute):
            yield "WS", route.path


def test_every_route_has_a_row_and_every_row_a_route(staffed: Studio) -> None:
    assert set(places(staffed)) == set(ROUTES)


def test_a_route_without_a_row_is_refused(
    staffed: Studio, run: Callable[[ASGIApp], AbstractContextManager[str]], token_of: Callable[..., str]
) -> None:
    api = build_api(staffed)
    later = APIRouter()
    later.add_api_route("/later", lambda: "secret")
    api.include_router(later)
    with run(api) as address:
        answer = httpx.get(f"{address}/later", headers={"Authorization": f"Bearer {token_of('root')}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("method", "path"), [each for each in ROUTES if each[0] != "WS"])
def test_who_may_ask_for_what(as_user: As, method: str, path: str, who: str) -> None:
    needed = ROUTES[method, path]
    body = {"json": {"project": "", "name": ""}} if method in ("POST", "PUT", "PATCH") else {}
    url = re.sub(r"\{\w+\}", "nothing", path)
    with as_user(who).stream(method, url, **body) as answer:  # type: ignore[arg-type]
        if path.startswith("/blobs/"):  # a worker's pass opens these, and no user has one
            assert answer.status_code == 401
            return
        if needed is ANYBODY or needed in WHO[who]:
            assert answer.status_code not in (401, 403)
            return
        told = json.loads(answer.read())
    if who == NOBODY:
        assert (answer.status_code, told["code"]) == (401, "not_signed_in")
        assert answer.headers["www-authenticate"] == "Bearer"
    else:
        assert (answer.status_code, told["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("scope", Scope)
def test_a_token_may_do_what_its_scopes_say(
    staffed_address: str, token_of: Callable[..., str], scope: Scope
) -> None:
    headers = {"Authorization": f"Bearer {token_of('root', scope)}"}
    asked = {
        Scope.READ: ("GET", "/datasets"),
        Scope.PREDICT: ("POST", "/results/model/nothing/predict"),
        Scope.WRITE: ("DELETE", "/training/nothing"),
        Scope.ADMIN: ("GET", "/users"),
    }
    with httpx.Client(base_url=staffed_address, headers=headers) as client:
        refused = {
            other
            for other, (method, path) in asked.items()
            if client.request(method, path).status_code == 403
        }
    assert refused == set(Scope) - {scope}


@pytest.mark.parametrize("value", ["Bearer nothing", "Bearer a b", "Basic YTpi", "flowml_x", ""])
def test_what_is_no_token_lets_nobody_in(staffed_address: str, value: str) -> None:
    answer = httpx.get(f"{staffed_address}/datasets", headers={"Authorization": value})
    assert answer.status_code == 401


def test_health_is_told_in_full_only_to_who_is_signed_in(as_user: As) -> None:
    assert as_user(NOBODY).get("/health").json()["redis"] is None
    assert as_user("vic").get("/health").json()["redis"]["ok"] is True
