"""Asks who comes in. What is not public needs a session's cookie, or for programs a token.

Pure ASGI, behind the guard: `person_of` then tells each request, page and WebSocket who asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from flowml.runner.entrance import Entrance
from flowml.storage.errors import NotSignedIn
from flowml.storage.records import OWNER, Person
from flowml.ui.problems import problem

COOKIE = "flowml_session"
PERSON = "flowml.person"  # in the scope of a request
BEARER = "Bearer "
LOGIN = "/login"

# What answers whoever asks: the way in, its looks, and whether the studio is alive.
PUBLIC = frozenset(
    {
        LOGIN,
        "/login/first",
        "/login/elsewhere",
        "/login/elsewhere/back",
        "/flowml/login.css",
        "/flowml/logo.svg",
        "/flowml/icon.png",
        "/health",
        "/api/health",
        "/api/ready",
    }
)


BLOBS = "/api/blobs/"  # of workers, which show passes of their own


def is_public(path: str) -> bool:
    return path in PUBLIC or path.startswith(BLOBS)


class Door:
    def __init__(self, app: ASGIApp, entrance: Entrance) -> None:
        self.app = app
        self.entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        person = await identify(scope, self.entrance)
        scope[PERSON] = person
        if person is not None or is_public(scope["path"]):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "Nobody is signed in."})
        else:
            await closed(scope)(scope, receive, send)


def closed(scope: Scope) -> Response:
    """The way in for people, an error for programs."""
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    if wants_page and scope["method"] == "GET" and not scope["path"].startswith("/api/"):
        query = scope["query_string"].decode("latin-1")
        place = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"{LOGIN}?next={quote(place, safe='')}", 303)
    return problem(nobody())


def nobody() -> NotSignedIn:
    return NotSignedIn(
        "Nobody is signed in, or the token or session has ended.",
        "Sign in at /login, or send a token: `Authorization: Bearer …`.",
    )


async def identify(scope: Scope, entrance: Entrance) -> Person | None:
    """Who asks: by a token, else by a session's cookie. Without logins, the owner of the studio."""
    if not entrance.needed:
        return replace(OWNER, address=address_of(scope))
    secret, of = secret_of(scope, entrance)
    if not secret:
        return None
    person = entrance.at_hand(secret) or await to_thread.run_sync(of, secret)
    return None if person is None else replace(person, address=address_of(scope))


def secret_of(scope: Scope, entrance: Entrance) -> tuple[str, Callable[[str], Person | None]]:
    """What was brought along, and who says whose it is. A token wins over a cookie."""
    headers = Headers(scope=scope)
    token = headers.get("authorization", "")
    if token.startswith(BEARER):
        return token.removeprefix(BEARER).strip(), entrance.of_token
    return cookie_of(headers.get("cookie", "")), entrance.of_cookie


def address_of(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def cookie_of(header: str) -> str:
    """The secret of a session in a Cookie header, or an empty text."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return ""
    found = jar.get(COOKIE)
    return found.value if found else ""
