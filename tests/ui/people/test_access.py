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
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

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
    **{f"root's token to {scope}": frozenset({scope}) for scope in Scope},
    "ada's token to admin": frozenset(),  # no scope that its owner lacks
}


@pytest.fixture(scope="module", params=WHO)
def who(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def headers(who: str, token_of: Callable[..., str]) -> dict[str, str]:
    """What a request brings along from each of them."""
    if who == NOBODY:
        return {}
    name, _, scope = who.partition("'s token to ")
    return {"Authorization": f"Bearer {token_of(name, *([Scope(scope)] if scope else []))}"}


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


def test_who_may_ask_for_what(staffed_address: str, who: str, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=staffed_address, headers=headers, timeout=60) as client:
        found = {place: outcome(client, *place) for place in ROUTES if place[0] != "WS"}
    assert found == {place: expected(place, who) for place in found}


def outcome(client: httpx.Client, method: str, path: str) -> str:
    """How a request that names nothing that exists is answered: its refusal, or that it was let in."""
    body = {"json": {"project": "", "name": ""}} if method in ("POST", "PUT", "PATCH") else {}
    with client.stream(method, re.sub(r"\{\w+\}", "nothing", path), **body) as answer:  # type: ignore[arg-type]
        assert answer.status_code < 500
        if answer.status_code not in (401, 403, 429):
            return "let in"
        assert answer.status_code == 403 or answer.headers["www-authenticate"] == "Bearer"
        return str(json.loads(answer.read())["code"])


def expected(place: tuple[str, str], who: str) -> str:
    if place[1].startswith("/blobs/"):  # a worker's pass opens these, and no user has one
        return "not_signed_in"
    needed = ROUTES[place]
    if needed is ANYBODY or needed in WHO[who]:
        return "let in"
    return "not_signed_in" if who == NOBODY else "not_allowed"


def test_who_may_follow_the_news(staffed_address: str, who: str, headers: dict[str, str]) -> None:
    url = staffed_address.replace("http", "ws", 1) + "/ws"
    if ROUTES["WS", "/ws"] in WHO[who]:
        with connect(url, additional_headers=headers):
            pass
    else:
        with pytest.raises(InvalidStatus, match="403"):
            connect(url, additional_headers=headers)


@pytest.mark.parametrize("value", ["Bearer nothing", "Bearer a b", "Basic YTpi", "flowml_x", ""])
def test_what_is_no_token_lets_nobody_in(staffed_address: str, value: str) -> None:
    answer = httpx.get(f"{staffed_address}/datasets", headers={"Authorization": value})
    assert answer.status_code == 401


def test_health_is_told_in_full_only_to_who_is_signed_in(as_user: As) -> None:
    assert as_user(NOBODY).get("/health").json()["redis"] is None
    assert as_user("vic").get("/health").json()["redis"]["ok"] is True
