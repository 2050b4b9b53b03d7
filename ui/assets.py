"""Files that browsers get from us and not from a content network."""

from __future__ import annotations

import functools
import gzip
from importlib.resources import files
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

PLOTLY_PATH = "/flowml/plotly.min.js"
_PLOTLY_FILE = Path(str(files("plotly") / "package_data" / "plotly.min.js"))
_TYPE = "text/javascript"
_FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}  # an upgrade of Plotly shows a day later at most


async def plotly(request: Request) -> Response:
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return FileResponse(_PLOTLY_FILE, media_type=_TYPE, headers=_FOR_A_DAY)
    packed = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(await to_thread.run_sync(packed_plotly), media_type=_TYPE, headers=_FOR_A_DAY | packed)


@functools.cache
def packed_plotly() -> bytes:
    """Once and in a thread: packing 4.8 MB in each answer would hold up all others for a quarter second."""
    return gzip.compress(_PLOTLY_FILE.read_bytes(), 6)


def routes() -> list[BaseRoute]:
    return [Route(PLOTLY_PATH, plotly)]
