"""The HTML behind every page: Streamlit's own, told where its backend is.

Else a page that is opened at /live first looks for a backend below /live, which the browser notes as errors.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from flowml.ui.guard import streamlit_html

BACKEND = "<script>window.__streamlit = { BACKEND_BASE_URL: location.origin }</script>"


def shell() -> str:
    html = streamlit_html().replace("<title>Streamlit</title>", "<title>FlowML Studio</title>", 1)
    return html.replace("<head>", f"<head>\n    {BACKEND}", 1)


def routes(paths: Iterable[str]) -> list[Route]:
    """One for each page; every other path is still answered by Streamlit."""
    html = shell()

    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    return [Route(f"/{path}", page, methods=["GET", "HEAD"]) for path in paths]
