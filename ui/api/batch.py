"""/api/results/…/batch: files of rows for a model, of any size, answered by files."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Query, Request, status
from fastapi.responses import FileResponse, Response
from pydantic import ValidationError

from flowml.runner.studio import Studio
from flowml.storage.errors import InputError
from flowml.storage.records import DriftSummary, Job
from flowml.storage.records.sheets import MEDIA_TYPE
from flowml.ui import problems
from flowml.ui.api.bodies.base import Asked
from flowml.ui.api.bodies.batch import BatchAnswer, BatchAsked, DriftAsked
from flowml.ui.api.receive import receive_form, spool
from flowml.ui.api.studio import TheClient, TheStudio

# Uploads are counted against FLOWML_UPLOAD_LIMIT as they come in, not against the limit of JSON bodies.
router = APIRouter(prefix="/results", tags=["results"], max_body_size=2**62)

Body = TypeVar("Body", bound=Asked)

ROWS = {
    "file": {"type": "string", "format": "binary", "description": "Rows, in any format."},
    "table": {"type": "string", "description": "The sheet, table or member to read; default: the first."},
}
FORMAT = {"type": "string", "enum": ["csv", "parquet", "xlsx"], "description": "Of the answers."}


def _body(fields: dict[str, Any], asked: type[Asked]) -> dict[str, Any]:
    """What the document says of a request that brings a file in a form, or names a dataset in JSON."""
    form = {"type": "object", "required": ["file"], "properties": fields}
    content = {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": asked.model_json_schema()},
    }
    return {"requestBody": {"required": True, "content": content}}


JSON_BYTES = 2**16
MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet", "xlsx": MEDIA_TYPE}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {kind: {} for kind in MEDIA.values()}}
}


@router.post(
    "/model/{model_id}/batch",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems.told(404, 413, 422, 503),
    openapi_extra=_body({**ROWS, "format": FORMAT}, BatchAsked),
)
async def predict_batch(model_id: str, request: Request, studio: TheStudio) -> BatchAnswer:
    """Start a job that predicts all rows of a file (a form with the part `file`) or of a dataset (JSON).

    The answers have the columns prediction, probability_CLASS for each class, and warnings.
    """
    ask = _of_form if _is_form(request) else _of_json
    return BatchAnswer.of_job(await ask(model_id, request, studio))


@router.post(
    "/model/{model_id}/drift",
    responses=problems.told(404, 413, 422),
    openapi_extra=_body(ROWS, DriftAsked),
)
async def compare_rows(model_id: str, request: Request, studio: TheStudio) -> DriftSummary:
    """How the rows of a file (a form with the part `file`) or a dataset (JSON) differ from the training."""
    serving, settings = studio.serving, studio.settings
    if not _is_form(request):
        asked = await _json(request, DriftAsked)
        return await to_thread.run_sync(serving.compare_dataset, model_id, asked.dataset_id)
    async with spool(settings.uploads, settings.upload_limit) as file:
        form = await receive_form(request, file, settings.upload_limit)
        name, table = form.file_name or "rows", form.fields.get("table", "")
        return await to_thread.run_sync(serving.compare_file, model_id, file.path, name, table)


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("multipart/")


async def _of_form(model_id: str, request: Request, studio: Studio) -> Job:
    settings = studio.settings
    async with spool(settings.uploads, settings.upload_limit) as file:
        form = await receive_form(request, file, settings.upload_limit)
        name, fields = form.file_name or "rows", form.fields
        ask = partial(studio.client.predict_file, model_id, file.path, name)
        return await to_thread.run_sync(partial(ask, fields.get("format") or "csv", fields.get("table", "")))


async def _of_json(model_id: str, request: Request, studio: Studio) -> Job:
    asked = await _json(request, BatchAsked)
    ask = partial(studio.client.predict_dataset, model_id, asked.dataset_id, asked.format)
    return await to_thread.run_sync(ask)


async def _json(request: Request, kind: type[Body]) -> Body:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > JSON_BYTES:
            raise InputError("The body is too long for JSON.", "Send a file as the part 'file' of a form.")
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{where or 'body'}: {first['msg']}.", "Send a form with a file, or dataset_id."
        ) from error


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
