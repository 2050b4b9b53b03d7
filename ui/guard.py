"""Stands before every request: refuses foreign hosts and foreign pages, and sends the security headers.

Pure ASGI, so that streams and WebSockets pass without being buffered.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import logging
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flowml.storage.errors import NotAllowed
from flowml.ui.problems import answer, fault, problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# What a page of another site can send without asking first (CORS "simple" bodies), less multipart, which
# programs send as well. Our API reads neither.
PLAIN_BODIES = frozenset({"text/plain", "application/x-www-form-urlencoded"})
OWN_HEADER = "x-flowml"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
# A paper with its style sheet and its charts inside.
REPORT, REPORT_POLICY = (
    re.compile(r"/api/models/[^/]+/report"),
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
)
# A form, its style sheet and its pictures; no script.
LOGIN_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
# Swagger UI writes styles into elements; its scripts are files of ours.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

# A path of the API that leads out of it, or that no file system knows.
UPWARDS = re.compile(r"/api(?=[/\\]).*([/\\]\.\.([/\\]|$)|\x00)", re.DOTALL)

log = logging.getLogger(__name__)


def page_policy(html: str) -> str:
    """The Content-Security-Policy of the pages: scripts are our files and the inline ones of this HTML."""
    inline = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline]
    scripts = " ".join(["'self'", *(f"'sha256-{digest}'" for digest in hashes), "blob:"])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; "
        "connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; frame-ancestors 'self'; "
        "object-src 'none'; base-uri 'self'; form-action 'self'"
    )


def streamlit_html() -> str:
    return (files("streamlit") / "static" / "index.html").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Hosts:
    """The names under which this studio may be addressed."""

    names: frozenset[str]
    any_address: bool = False  # a Host that is an IP address cannot be a name that was bent to point here

    @classmethod
    def of(cls, address: str, extra: Iterable[str] = ()) -> Hosts:
        """Those of a studio that listens on `address`; `extra` are names that the user gave it."""
        names = LOOPBACK | {name.lower() for name in extra}
        if not _is_wildcard(address):
            return cls(names | {address.lower()})
        own = socket.gethostname().lower()
        return cls(names | {own, f"{own}.local"}, any_address=True)

    def __contains__(self, name: str) -> bool:
        return name in self.names or (self.any_address and _is_address(name))


def _is_wildcard(address: str) -> bool:
    return _is_address(address) and ipaddress.ip_address(address).is_unspecified


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    def __init__(
        self, app: ASGIApp, hosts: Hosts, policy: str, origins: frozenset[str] = frozenset()
    ) -> None:
        """`origins` are those of others whose pages may call the REST API."""
        self.app = app
        self.hosts = hosts
        self.policy = policy
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        reason = self.refusal(scope)
        if reason is None and scope["type"] == "http" and UPWARDS.match(scope["path"]):
            # Streamlit, which stands between the guard and the API, would answer in words of its own.
            lost = answer(404, "no_route", "There is no such path.", "See /api/docs for all routes.")
            await lost(scope, receive, self._with_headers(scope, send))
        elif reason is None:
            await self._pass(scope, receive, self._with_headers(scope, send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await problem(NotAllowed(reason))(scope, receive, self._with_headers(scope, send))

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through; a fault of ours that nobody within has answered is answered here."""
        begun = False

        async def noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noticed)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
            await fault()(scope, receive, send)

    def refusal(self, scope: Scope) -> str | None:
        """Why this request must not pass; None where it may.

        The Host must be one of ours, else a foreign name that resolves to this machine (DNS rebinding) could
        read the answers. For what changes something, and for WebSockets: a browser always says which page
        asks (Origin, Sec-Fetch-Site), and it must be one of ours. A request without an Origin comes from a
        program, or from a browser too old to say so; the latter can only send bodies of the plain kinds
        without asking first, so those need our own header, which no foreign page can add.
        """
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name(host) not in self.hosts:
            return f"The host {host[:100]!r} is not one of this studio's names."
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return None
        origin = headers.get("origin")
        if origin in self.origins and scope["path"].startswith("/api/"):
            return None
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return f"A page of {origin[:100]!r} may not do this here."
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "A page of another site may not do this here."
        body = headers.get("content-type", "").partition(";")[0].strip().lower()
        if body in PLAIN_BODIES and origin is None and OWN_HEADER not in headers:
            return (
                f"A body of type {body} needs the header X-FlowML; send a form as multipart/form-data, "
                "a file as application/octet-stream, else JSON."
            )
        return None

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        policy = self._policy(scope["path"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = policy
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        return send_with_headers

    def _policy(self, path: str) -> str:
        if path.startswith("/login"):
            return LOGIN_POLICY
        if path.startswith("/api/docs"):
            return DOCS_POLICY
        if REPORT.fullmatch(path):
            return REPORT_POLICY
        return API_POLICY if path.startswith("/api/") else self.policy


def _name(host: str) -> str:
    """The host's name without its port; empty where there is none that can be read."""
    try:
        return (urlsplit("//" + host).hostname or "").lower()
    except ValueError:
        return ""
