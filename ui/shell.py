"""The HTML behind every page: Streamlit's own, told where its backend is.

Else a page that is opened at /live first looks for a backend below /live, which the browser notes as errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from flowml.ui.guard import streamlit_html

BACKEND = "<script>window.__streamlit = { BACKEND_BASE_URL: location.origin }</script>"

# Painted at once and replaced by the page: no white screen, and none in the dark theme least of all.
OPENING = """<style>
      .flowml-opening {
        position: fixed; inset: 0; display: grid; place-items: center; background: #ffffff; color: #525e72;
        font: 600 18px/1.4 system-ui, sans-serif;
      }
      @media (prefers-color-scheme: dark) { .flowml-opening { background: #0f141c; color: #9aa7ba } }
    </style>
    <div id="root"><div class="flowml-opening">FlowML Studio</div></div>"""
NO_SCRIPT = (
    "<noscript><p>FlowML Studio draws its pages with JavaScript: allow it for this address.</p></noscript>"
)


def shell() -> str:
    html = streamlit_html().replace("<title>Streamlit</title>", "<title>FlowML Studio</title>", 1)
    html = html.replace("<head>", f"<head>\n    {BACKEND}", 1)
    html = re.sub(r"<noscript>.*?</noscript>", NO_SCRIPT, html, count=1, flags=re.DOTALL)
    return html.replace('<div id="root"></div>', OPENING, 1)


def routes(paths: Iterable[str]) -> list[Route]:
    """One for each page; every other path is still answered by Streamlit."""
    html = shell()

    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    return [Route(f"/{path}", page, methods=["GET", "HEAD"]) for path in paths]
