"""Files that browsers get from us and not from a content network."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Route

PLOTLY_PATH = "/flowml/plotly.min.js"
PLOTLY_URL = f"{PLOTLY_PATH}?v={version('plotly')}"  # the version lets browsers keep it for a year
_PLOTLY_FILE = Path(str(files("plotly") / "package_data" / "plotly.min.js"))
_FOR_A_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}


async def plotly(_: Request) -> FileResponse:
    return FileResponse(_PLOTLY_FILE, media_type="text/javascript", headers=_FOR_A_YEAR)


def routes() -> list[BaseRoute]:
    return [Route(PLOTLY_PATH, plotly)]
