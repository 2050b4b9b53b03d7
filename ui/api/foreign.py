"""/api/foreign: ONNX files that were made elsewhere, to be tried in the playground."""

from __future__ import annotations

from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response, status

from flowml.ui.api.bodies.foreign import ForeignAsked, ForeignModelAnswer, ForeignPrediction
from flowml.ui.api.receive import receive_form, spool
from flowml.ui.api.studio import TheClient, TheStudio
from flowml.ui.problems import told

# The file is counted as it comes in, not against the limit of JSON bodies.
router = APIRouter(prefix="/foreign", tags=["foreign"], max_body_size=2**62)

FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The .onnx file."},
        "name": {"type": "string", "description": "What it is called; default: the name of the file."},
        "note": {"type": "string", "description": "For people: where it is from."},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}
}


@router.get("")
def list_foreign(client: TheClient) -> list[ForeignModelAnswer]:
    """All that were let in, newest first."""
    return [ForeignModelAnswer.of_model(model) for model in client.foreign_models()]


@router.post("", status_code=status.HTTP_201_CREATED, responses=told(413, 422), openapi_extra=BODY)
async def add_foreign(request: Request, studio: TheStudio) -> ForeignModelAnswer:
    """Let an ONNX file in. Its operators must be on a list; it is opened and run in a process with limits."""
    settings = studio.settings
    async with spool(settings.uploads, settings.upload_limit) as file:
        form = await receive_form(request, file, settings.upload_limit)
        name = form.fields.get("name") or (form.file_name or "").removesuffix(".onnx") or "model"
        add = partial(studio.client.add_foreign, file.path, name, form.fields.get("note", ""))
        return ForeignModelAnswer.of_model(await to_thread.run_sync(add))


@router.get("/{foreign_id}", responses=told(404))
def get_foreign(foreign_id: str, client: TheClient) -> ForeignModelAnswer:
    """What it takes and gives, and of what it is made."""
    return ForeignModelAnswer.of_model(client.foreign_model(foreign_id))


@router.post("/{foreign_id}/predict", responses=told(404, 413, 422))
def ask_foreign(foreign_id: str, asked: ForeignAsked, client: TheClient) -> ForeignPrediction:
    """Ask it one row (an object) or up to 1,000 (a list), in a process of their own: a second or so."""
    one = isinstance(asked.data, dict)
    rows = [asked.data] if isinstance(asked.data, dict) else asked.data
    return ForeignPrediction.of_answer(client.ask_foreign(foreign_id, rows), one)


@router.delete("/{foreign_id}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404))
def remove_foreign(foreign_id: str, client: TheClient) -> Response:
    """Remove it."""
    client.remove_foreign(foreign_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
