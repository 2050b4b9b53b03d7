"""Files that browsers get from us and not from a content network."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Route

PLOTLY_PATH = "/flowml/plotly.min.js"
_PLOTLY_FILE = Path(str(files("plotly") / "package_data" / "plotly.min.js"))
_FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}  # an upgrade of Plotly shows a day later at most


async def plotly(_: Request) -> FileResponse:
    return FileResponse(_PLOTLY_FILE, media_type="text/javascript", headers=_FOR_A_DAY)


def routes() -> list[BaseRoute]:
    return [Route(PLOTLY_PATH, plotly)]
