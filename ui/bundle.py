"""The scripts and style sheets of Streamlit, packed: a first visit loads a third of their bytes."""

from __future__ import annotations

import functools
import gzip
import re
from importlib.resources import files
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from flowml.ui.guard import streamlit_html

STATIC = Path(str(files("streamlit") / "static"))
TYPES = {".js": "text/javascript", ".css": "text/css"}
HEADERS = {
    "Cache-Control": "public, immutable, max-age=31536000",  # a name holds the hash of what it names
    "Content-Encoding": "gzip",
    "Vary": "Accept-Encoding",
}


class Bundle:
    """Answers for the files that a browser takes packed; all else is Streamlit's to answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        wanted = scope["type"] == "http" and scope["method"] == "GET" and path in _paths()
        if not wanted or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            await self.app(scope, receive, send)
            return
        kind = TYPES[Path(path).suffix]
        content = _PACKED.get(path) or await to_thread.run_sync(packed, path)
        await Response(content, media_type=kind, headers=HEADERS)(scope, receive, send)


_PACKED: dict[str, bytes] = {}


def packed(path: str) -> bytes:
    """A file of the bundle by its path in the URL; packed once, then kept."""
    if path not in _PACKED:
        _PACKED[path] = gzip.compress((STATIC / path.lstrip("/")).read_bytes(), 6, mtime=0)
    return _PACKED[path]


@functools.cache
def _paths() -> frozenset[str]:
    """What may be asked for: the files that are there, and no other path."""
    found = (file for kind in ("js", "css") for file in (STATIC / "static" / kind).iterdir())
    return frozenset(f"/static/{file.parent.name}/{file.name}" for file in found if file.suffix in TYPES)


def first() -> list[str]:
    """The paths that the HTML behind every page names."""
    named = re.findall(r'"\.(/static/[^"]+)"', streamlit_html())
    return [path for path in named if path in _paths()]
