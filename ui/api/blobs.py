"""Files for workers that share no folder with the studio. A worker's pass opens them, no login does."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Response, status
from fastapi.responses import FileResponse
from starlette.requests import Request

from flowml.runner.blobs import Blobs
from flowml.ui.api.receive import receive_body, spool
from flowml.ui.door import BEARER
from flowml.ui.problems import told

router = APIRouter(tags=["workers"])


@router.get("/blobs/{sha256}", responses=told(401, 404), response_class=FileResponse)
def get_blob(sha256: str, request: Request) -> FileResponse:
    """A table or parcel by its content; part of it with `Range`."""
    path = _blobs(request).path(_pass(request), sha256)
    return FileResponse(path, media_type="application/octet-stream")


@router.put("/blobs/{sha256}", status_code=status.HTTP_204_NO_CONTENT, responses=told(401, 413, 422))
async def put_blob(
    sha256: str,
    request: Request,
    parcel: Annotated[bool, Query(description="Needed only while the job runs.")] = False,
) -> Response:
    """What a job made; the body is the file."""
    blobs, secret, settings = _blobs(request), _pass(request), request.app.state.studio.settings
    await to_thread.run_sync(blobs.admit, secret)
    async with spool(settings.uploads, settings.upload_limit) as into:
        await receive_body(request, into, settings.upload_limit)
        await to_thread.run_sync(partial(blobs.keep, secret, sha256, into.path, parcel))
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.delete("/blobs/{sha256}", status_code=status.HTTP_204_NO_CONTENT, responses=told(401))
def delete_blob(sha256: str, request: Request) -> Response:
    """A parcel that nobody needs any more."""
    _blobs(request).discard(_pass(request), sha256)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


def _blobs(request: Request) -> Blobs:
    blobs: Blobs = request.app.state.studio.blobs
    return blobs


def _pass(request: Request) -> str:
    header = request.headers.get("authorization", "")
    return header.removeprefix(BEARER).strip() if header.startswith(BEARER) else ""
