"""The API's documentation page: Swagger UI with every file served by the studio."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse
from starlette.requests import Request
from starlette.staticfiles import StaticFiles

OWN = Path(__file__).resolve().parent
SWAGGER = Path(str(files("fastapi_offline") / "static"))


def add_docs(api: FastAPI) -> None:
    """Put the page at /docs/ and its files beside it."""

    @api.get("/docs/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(OWN / "docs.html", media_type="text/html")

    @api.get("/docs/docs.js", include_in_schema=False)
    async def script() -> FileResponse:
        return FileResponse(OWN / "docs.js", media_type="text/javascript")

    @api.get("/docs", include_in_schema=False)
    @api.get("/", include_in_schema=False)
    async def to_page(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/docs/")

    api.mount("/docs/swagger", StaticFiles(directory=SWAGGER))
