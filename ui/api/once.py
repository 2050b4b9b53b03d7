"""Requests that are done once, however often they arrive: those that bear an Idempotency-Key.

A client that heard no answer sends the same request with the same key again, and is told what was answered
the first time. Only what succeeded is kept, for a day; each user has keys of its own.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute

from flowml.runner.people import People
from flowml.storage.errors import Conflict, InputError
from flowml.storage.replies import Reply
from flowml.ui.api.access import authorise, seat_of

HEADER = "idempotency-key"
REPLAYED = "Idempotency-Replayed"
KEY = re.compile(r"[\x21-\x7e]{1,200}")
LONGEST_ANSWER = 2**20


async def declare(
    idempotency_key: Annotated[
        str | None, Header(description="Any text of one's own, up to 200 characters.")
    ] = None,
) -> str | None:
    """Puts the header into the document of a route; `OnceRoute` heeds it."""
    return idempotency_key


KEYED = [Depends(declare)]


class OnceRoute(APIRoute):
    """A route that heeds the key; with `dependencies=KEYED` the document tells of it."""

    streamed = False  # its body is a file: what bears the key is told by its path and length

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if key is None or request.method not in ("POST", "PUT"):
                return await handle(request)
            await authorise(request)
            return await _answer(request, key, handle, self.streamed)

        return once


class OnceUploadRoute(OnceRoute):
    streamed = True


async def _answer(
    request: Request, key: str, handle: Callable[[Request], Coroutine[Any, Any, Response]], streamed: bool
) -> Response:
    if not KEY.fullmatch(key):
        raise InputError("The Idempotency-Key is not 1 to 200 visible characters.", "Send a UUID.")
    people, asked = seat_of(request).people, await _fingerprint(request, streamed)
    known = await to_thread.run_sync(people.reply, key)
    if known is not None:
        return _again(known, asked)
    with _alone(request, people, key):
        if (known := await to_thread.run_sync(people.reply, key)) is not None:
            return _again(known, asked)  # the first one ended between that look and this one
        answer = await handle(request)
        body = bytes(answer.body) if 200 <= answer.status_code < 300 else b""
        if body and len(body) <= LONGEST_ANSWER:
            reply = Reply(asked, answer.status_code, body.decode(), answer.media_type or "application/json")
            await to_thread.run_sync(people.keep_reply, key, reply, time.time())
    return answer


async def _fingerprint(request: Request, streamed: bool) -> str:
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}".encode())
    if streamed:
        digest.update(f"{_boundary_length(request)} {request.headers.get('content-length')}".encode())
    else:
        digest.update(await request.body())
    return digest.hexdigest()


def _boundary_length(request: Request) -> int:
    """A form is as much longer as its boundary is, which differs from one sending to the next."""
    return len(request.headers.get("content-type", "").partition("boundary=")[2])


def _again(known: Reply, asked: str) -> Response:
    if known.asked != asked:
        raise Conflict("This Idempotency-Key was used for another request.", "Take a new key for each.")
    return Response(known.body, known.status, {REPLAYED: "true"}, known.media_type)


class _alone:
    """Refuses a second request with a key while the first is under way."""

    def __init__(self, request: Request, people: People, key: str) -> None:
        self._under_way: set[tuple[str, str]] = request.app.state.under_way
        self._mark = (people.who.id, key)

    def __enter__(self) -> None:
        if self._mark in self._under_way:
            raise Conflict("A request with this Idempotency-Key is under way.", "Send it again in a while.")
        self._under_way.add(self._mark)

    def __exit__(self, *_: object) -> None:
        self._under_way.discard(self._mark)
