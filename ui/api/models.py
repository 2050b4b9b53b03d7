"""/api/models: what is told of one model beyond its file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from flowml.ui.api.downloads import file_name
from flowml.ui.api.studio import TheClient
from flowml.ui.problems import told
from flowml.ui.report import gather, report_of

router = APIRouter(prefix="/models", tags=["results"])

PAPER: dict[int | str, dict[str, Any]] = {200: {"description": "The report.", "content": {"text/html": {}}}}


@router.get("/{model_id}/report", responses={**PAPER, **told(404)}, response_class=HTMLResponse)
def model_report(
    model_id: str,
    client: TheClient,
    download: Annotated[bool, Query(description="Save it instead of showing it.")] = False,
) -> HTMLResponse:
    """The report of a model: one HTML file with its charts inside, which prints well."""
    facts = gather(client, model_id)
    headers = {}
    if download:
        headers["Content-Disposition"] = f'attachment; filename="{file_name(facts.model, ".report.html")}"'
    return HTMLResponse(report_of(facts), headers=headers)
