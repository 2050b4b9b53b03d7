"""/api/results/…/batch: files of rows for a model, of any size, answered by files."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request, status
from fastapi.responses import FileResponse, Response
from pydantic import ValidationError

from flowml.runner.studio import Studio
from flowml.storage.errors import InputError
from flowml.storage.records import Job
from flowml.storage.records.sheets import MEDIA_TYPE
from flowml.ui import problems
from flowml.ui.api.bodies.batch import BatchAnswer, BatchAsked
from flowml.ui.api.receive import receive_form, spool
from flowml.ui.api.studio import TheClient, TheStudio

# Uploads are counted against FLOWML_UPLOAD_LIMIT as they come in, not against the limit of JSON bodies.
router = APIRouter(prefix="/results", tags=["results"], max_body_size=2**62)

FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "Rows, in any format.",
        },
        "format": {"type": "string", "enum": ["csv", "parquet", "xlsx"], "description": "Of the answers."},
        "table": {"type": "string", "description": "The sheet, table or member to read; default: the first."},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": FORM},
            "application/json": {"schema": BatchAsked.model_json_schema()},
        },
    }
}
JSON_BYTES = 2**16
MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "xlsx": MEDIA_TYPE}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {kind: {} for kind in MEDIA.values()}}
}


@router.post(
    "/model/{model_id}/batch",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems.told(404, 413, 422, 503),
    openapi_extra=BODY,
)
async def predict_batch(model_id: str, request: Request, studio: TheStudio) -> BatchAnswer:
    """Start a job that predicts all rows of a file (a form with the part `file`) or of a dataset (JSON).

    The answers have the columns prediction, probability_CLASS for each class, and warnings.
    """
    form = request.headers.get("content-type", "").startswith("multipart/")
    return BatchAnswer.of_job(await (_of_form if form else _of_json)(model_id, request, studio))


async def _of_form(model_id: str, request: Request, studio: Studio) -> Job:
    settings = studio.settings
    async with spool(settings.uploads, settings.upload_limit) as file:
        form = await receive_form(request, file, settings.upload_limit)
        name, fields = form.file_name or "rows", form.fields
        ask = partial(studio.client.predict_file, model_id, file.path, name)
        return await to_thread.run_sync(partial(ask, fields.get("format") or "csv", fields.get("table", "")))


async def _of_json(model_id: str, request: Request, studio: Studio) -> Job:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > JSON_BYTES:
            raise InputError("The body is too long for JSON.", "Send a file as the part 'file' of a form.")
    try:
        asked = BatchAsked.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{where or 'body'}: {first['msg']}.", "Send a form with a file, or dataset_id."
        ) from error
    ask = partial(studio.client.predict_dataset, model_id, asked.dataset_id, asked.format)
    return await to_thread.run_sync(ask)


@router.get("/batch")
def list_batches(
    client: TheClient, model_id: Annotated[str | None, Query(description="Only of this model.")] = None
) -> list[BatchAnswer]:
    """Files that models were asked about, newest first."""
    return [BatchAnswer.of_job(job) for job in client.predictions(model_id)]


@router.get("/batch/{job_id}", responses=problems.told(404))
def get_batch(job_id: str, client: TheClient) -> BatchAnswer:
    """How far it is; at the end the warnings, and how the rows differ from those of the training."""
    return BatchAnswer.of_job(client.prediction(job_id))


@router.get(
    "/batch/{job_id}/download", responses={**FILE, **problems.told(404, 409)}, response_class=Response
)
def download_batch(job_id: str, client: TheClient) -> Response:
    """The file with the answers."""
    path, name = client.answers(job_id)
    return FileResponse(path, media_type=MEDIA[name.rpartition(".")[2]], filename=name)
