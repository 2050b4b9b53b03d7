"""/api/datasets: tables come in, are looked into, and go."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response, status
from fastapi.responses import FileResponse

from flowml.runner.studio import Studio
from flowml.storage.exports import EXPORTS, export
from flowml.storage.records import Dataset
from flowml.ui.api.bodies.datasets import ColumnStats, DatasetAnswer, DatasetSummary, PreviewAnswer
from flowml.ui.api.once import KEYED, OnceUploadRoute
from flowml.ui.api.paging import PAGED, ThePage
from flowml.ui.api.receive import receive_body, receive_form, spool
from flowml.ui.api.studio import TheClient, TheStudio
from flowml.ui.api.unlinked import unlinked
from flowml.ui.problems import told

# Uploads are counted against FLOWML_UPLOAD_LIMIT as they come in, not against the limit of JSON bodies.
router = APIRouter(prefix="/datasets", tags=["datasets"], max_body_size=2**62, route_class=OnceUploadRoute)

# The forms of the two bodies that are read as streams and thus by no parameter of a function.
BINARY = {"schema": {"type": "string", "format": "binary"}}
FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The table."},
        "name": {"type": "string", "description": "Its name; default: the file's."},
        "table": {"type": "string", "description": "The sheet, table or member to read; default: the first."},
    },
}
TABLE_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": BINARY}}
}
FILES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {row.media_type: {} for row in EXPORTS}}
}
FORM_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}
}


@router.post(
    "/upload",
    status_code=status.HTTP_201_CREATED,
    responses=told(409, 413, 422),
    openapi_extra=FORM_BODY,
    dependencies=KEYED,
)
async def upload_dataset(request: Request, studio: TheStudio) -> DatasetAnswer:
    """Add a table from a form with the part `file` and, if wanted, its `name`."""
    settings = studio.settings
    async with spool(settings.uploads, settings.upload_limit) as file:
        form = await receive_form(request, file, settings.upload_limit)
        return await add(studio, file.path, form.file_name or "", form.fields)


@router.put(
    "/{name}",
    status_code=status.HTTP_201_CREATED,
    responses=told(409, 413, 422),
    openapi_extra=TABLE_BODY,
    dependencies=KEYED,
)
async def put_dataset(
    name: str,
    request: Request,
    studio: TheStudio,
    title: Annotated[str, Query(description="Name of the dataset; default: the file's.")] = "",
    table: Annotated[str, Query(description="The sheet, table or member to read; default: the first.")] = "",
    x_sha256: Annotated[str, Header(description="Checksum of the body, to be compared.")] = "",
) -> DatasetAnswer:
    """Add a table whose bytes are the body; `name` is the file's name, as `churn.csv`."""
    settings = studio.settings
    async with spool(settings.uploads, settings.upload_limit, x_sha256) as file:
        await receive_body(request, file, settings.upload_limit)
        return await add(studio, file.path, name, {"name": title, "table": table})


async def add(studio: Studio, path: Path, file_name: str, wishes: Mapping[str, str]) -> DatasetAnswer:
    """`wishes` may hold the `name` of the dataset, and the `table` to read of several."""
    title, table = wishes.get("name", "").strip(), wishes.get("table", "")
    added: Dataset = await to_thread.run_sync(
        partial(studio.client.add_dataset, path, title or file_name, file_name, table=table)
    )
    return DatasetAnswer.of(added)


@router.get("", responses=PAGED)
def list_datasets(
    client: TheClient,
    page: ThePage,
    name: Annotated[str, Query(description="Only those whose name holds this.")] = "",
    project: Annotated[str | None, Query(description="Only those in this project.")] = None,
) -> list[DatasetSummary]:
    """Datasets that are not deleted, newest first."""
    entries, total = client.dataset_page(name, project, page.limit, page.offset)
    page.tell(total)
    return [DatasetSummary.of(entry) for entry in entries]


@router.get("/{dataset_id}", responses=told(404))
def get_dataset(dataset_id: str, client: TheClient) -> DatasetAnswer:
    """One dataset with its columns."""
    return DatasetAnswer.of(client.dataset(dataset_id))


@router.get("/{dataset_id}/versions", responses=told(404))
def list_versions(dataset_id: str, client: TheClient) -> list[DatasetSummary]:
    """All versions of its name, newest first."""
    return [DatasetSummary.of_dataset(dataset) for dataset in client.versions(dataset_id)]


@router.get("/{dataset_id}/download", responses={**FILES, **told(404, 422)}, response_class=Response)
def download_dataset(
    dataset_id: str,
    studio: TheStudio,
    format: Annotated[Literal["parquet", "csv", "xlsx"], Query(description="Of the file.")] = "parquet",
) -> Response:
    """The whole table as a file. In CSV and Excel no text can be run as a formula."""
    client, row = studio.client, export(format)
    dataset = client.dataset(dataset_id)
    name = f"{dataset.name}-v{dataset.version}{row.suffix}"
    if format == "parquet":
        return FileResponse(client.dataset_file(dataset_id), media_type=row.media_type, filename=name)
    studio.settings.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(prefix="export-", dir=studio.settings.uploads) as folder:
        client.export_dataset(dataset_id, format, Path(folder) / "table")
        return unlinked(Path(folder) / "table", row.media_type, name)


@router.get("/{dataset_id}/preview", responses=told(404))
def preview_dataset(
    dataset_id: str, client: TheClient, rows: Annotated[int, Query(ge=1, le=1000)] = 20
) -> PreviewAnswer:
    """Its first rows."""
    return PreviewAnswer(**client.preview(dataset_id, rows))


@router.get("/{dataset_id}/stats", responses=told(404))
def dataset_stats(dataset_id: str, client: TheClient) -> list[ColumnStats]:
    """Statistics of each column."""
    return [ColumnStats(**stats) for stats in client.dataset_stats(dataset_id)]


@router.delete("/{dataset_id}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404, 409))
def delete_dataset(dataset_id: str, client: TheClient) -> Response:
    """Take a dataset out of the lists. Jobs and models made from it stay."""
    client.delete_dataset(dataset_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
