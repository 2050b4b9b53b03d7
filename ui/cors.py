"""Pages of other origins that the settings name may call the REST API, with tokens and never with cookies."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

ASKED = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-FlowML")
TOLD = ("ETag", "Idempotency-Replayed", "Link", "Location", "Retry-After", "X-Total-Count")
PREFLIGHT_S = 600


class Cors:
    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self.app = app
        self.api = CORSMiddleware(
            app,
            allow_origins=sorted(origins),
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=ASKED,
            expose_headers=TOLD,
            max_age=PREFLIGHT_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        within = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (self.api if within else self.app)(scope, receive, send)
