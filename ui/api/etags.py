"""Answers that are told once: each bears the hash of its content, and who has it is told no more."""

from __future__ import annotations

import hashlib
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 8 * 2**20  # larger answers are sent as they come
TAG = re.compile(r'(?:W/)?("[^"]*")')


class ETags:
    """Pure ASGI, around the API: JSON answers to GET get an ETag; others pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Tagged(scope, send))


class _Tagged:
    """Holds back an answer of one piece until its hash is known."""

    def __init__(self, scope: Scope, send: Send) -> None:
        asked = Headers(scope=scope).get("if-none-match", "")
        self._known, self._has_any = TAG.findall(asked), asked.strip() == "*"
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _fits(message):
            self._start = message
            return
        start, self._start = self._start, None
        if start is None:
            await self._send(message)
            return
        body = message.get("body", b"")
        if not message.get("more_body", False) and len(body) <= MOST_BYTES:
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            headers = MutableHeaders(scope=start)
            headers["ETag"] = tag
            headers.setdefault("Cache-Control", "private, no-cache")
            if self._has_any or tag in self._known:
                start = {**start, "status": 304}
                del headers["content-length"], headers["content-type"]
                message = {**message, "body": b""}
        await self._send(start)
        await self._send(message)


def _fits(start: Message) -> bool:
    kind = Headers(scope=start).get("content-type", "")
    return start["status"] == 200 and kind.startswith("application/json")
