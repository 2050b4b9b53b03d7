"""/api/uploads: large files in parts that go on after a cut; and files that lie on the server already."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Request, Response, status

from flowml.storage.errors import Conflict, InputError
from flowml.ui.api.bodies.datasets import DatasetAnswer, DatasetSummary
from flowml.ui.api.bodies.uploads import (
    FinishAsked,
    RegisterAsked,
    RegisteredAnswer,
    TablesAnswer,
    UploadAnswer,
    UploadAsked,
)
from flowml.ui.api.receive import Spool
from flowml.ui.api.studio import TheClient
from flowml.ui.problems import told

# Parts are counted against the size that was told at the beginning, not against the limit of JSON bodies.
router = APIRouter(tags=["datasets"], max_body_size=2**62)

RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
PART_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_receiving: set[str] = set()  # uploads that a part is coming in for


@router.post("/uploads", status_code=status.HTTP_201_CREATED, responses=told(413, 422))
def begin_upload(asked: UploadAsked, client: TheClient) -> UploadAnswer:
    """Begin to send a file in parts, by `PUT /api/uploads/{id}`; then finish it."""
    return UploadAnswer.of(client.begin_upload(asked.name, asked.size))


@router.get("/uploads/{upload_id}", responses=told(404))
def get_upload(upload_id: str, client: TheClient) -> UploadAnswer:
    """How far an upload is: after a cut the next part begins at `received`."""
    return UploadAnswer.of(client.upload(upload_id))


@router.put("/uploads/{upload_id}", responses=told(404, 409, 422), openapi_extra=PART_BODY)
async def put_part(
    upload_id: str,
    request: Request,
    client: TheClient,
    content_range: Annotated[str, Header(description="As `bytes 0-8388607/1000000000`.")],
    x_part_sha256: Annotated[str, Header(description="Checksum of this part, to be compared.")] = "",
) -> UploadAnswer:
    """Send the next part. What came of a part that was cut stays, unless it has a checksum."""
    upload = await to_thread.run_sync(client.upload, upload_id)
    first, last = _range(content_range, upload.size)
    if first > upload.received:
        raise Conflict(
            f"The part begins at byte {first:,}, but {upload.received:,} have come.", "Send from there."
        )
    if upload_id in _receiving:
        raise Conflict("Another part of this upload is coming in.", "Send one part after the other.")
    _receiving.add(upload_id)
    try:
        path = await to_thread.run_sync(client.upload_path, upload_id)
        await _receive(request, path, first, last - first + 1, x_part_sha256)
    finally:
        _receiving.discard(upload_id)
    return UploadAnswer.of(await to_thread.run_sync(client.part_came, upload_id, first))


@router.get("/uploads/{upload_id}/tables", responses=told(404, 409, 422))
def get_tables(upload_id: str, client: TheClient) -> TablesAnswer:
    """The sheets, tables or members that the file lets choose from."""
    return TablesAnswer(tables=list(client.tables_of_upload(upload_id)))


@router.post(
    "/uploads/{upload_id}/finish",
    status_code=status.HTTP_201_CREATED,
    responses=told(404, 409, 413, 422),
)
def finish_upload(upload_id: str, asked: FinishAsked, client: TheClient) -> DatasetAnswer:
    """Read what came as a table."""
    return DatasetAnswer.of(client.finish_upload(upload_id, asked.name.strip(), asked.table, asked.sha256))


@router.delete("/uploads/{upload_id}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404))
def drop_upload(upload_id: str, client: TheClient) -> Response:
    """Forget an upload and what came of it."""
    client.drop_upload(upload_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/datasets/register", status_code=status.HTTP_201_CREATED, responses=told(403, 404, 422))
def register(asked: RegisterAsked, client: TheClient) -> list[RegisteredAnswer]:
    """Add a file of the server, or each table in a folder, below the folders of FLOWML_DATA_ROOTS."""
    return [
        RegisteredAnswer(
            path=each.path,
            dataset=None if each.dataset is None else DatasetSummary.of_dataset(each.dataset),
            error=str(each.error or ""),
        )
        for each in client.register(asked.path, asked.name.strip(), asked.table)
    ]


def _range(told: str, size: int) -> tuple[int, int]:
    found = RANGE.fullmatch(told.strip())
    first, last, whole = (int(each) for each in found.groups()) if found else (0, -1, size)
    if not first <= last < whole == size:
        raise InputError(
            f"Content-Range is {told[:80]!r}; expected bytes FIRST-LAST/{size}.", "Count bytes from 0."
        )
    return first, last


async def _receive(request: Request, path: Path, first: int, length: int, sha256: str) -> None:
    with path.open("r+b", buffering=0) as file:
        file.truncate(first)
        file.seek(first)
        spool = Spool(path, file, length, sha256)
        whole = False
        try:
            async for chunk in request.stream():
                await spool.write(chunk)
            await spool.flush()
            spool.compare()
            whole = True
        finally:  # a part that was cut counts as far as it came, unless it can be wrong
            if not whole and sha256:
                file.truncate(first)
            elif not whole:
                await spool.flush()
        if spool.size != length:
            raise InputError(f"The part has {spool.size:,} bytes, not {length:,}.", "Send the rest.")
        await to_thread.run_sync(os.fsync, file.fileno())
