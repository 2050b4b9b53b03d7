"""/api/results: leaderboards, models, predictions and downloads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from flowml.runner import scripts
from flowml.runner.serving import ML
from flowml.storage.records import TrialState
from flowml.ui.api.boards import Boards
from flowml.ui.api.bodies.results import (
    Explanations,
    Leaderboard,
    ModelAnswer,
    ModelSummary,
    Order,
    PredictAsked,
    Prediction,
    Sort,
    VerificationAnswer,
    ordered,
)
from flowml.ui.api.downloads import DOWNLOADS, download
from flowml.ui.api.paging import PAGED, ThePage
from flowml.ui.api.predictions import predict
from flowml.ui.api.studio import TheClient, TheStudio
from flowml.ui.problems import told

router = APIRouter(prefix="/results", tags=["results"])

FORMATS = ", ".join(f"{row.key} ({row.label})" for row in DOWNLOADS)
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {row.media_type: {} for row in DOWNLOADS}}
}
SCRIPT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"text/x-python": {}, "application/x-ipynb+json": {}}}
}


@router.get("/job/{job_id}/leaderboard", responses={**PAGED, **told(404)})
def job_leaderboard(
    job_id: str,
    request: Request,
    client: TheClient,
    page: ThePage,
    sort: Annotated[Sort, Query(description="By what to order.")] = Sort.RANK,
    order: Annotated[Order, Query(description="Rows without a value stand last either way.")] = Order.ASC,
    algorithm: Annotated[list[str] | None, Query(description="Only rows of these.")] = None,
    status: Annotated[list[TrialState] | None, Query(description="Only rows in these states.")] = None,
) -> Leaderboard:
    """All that was tried in a job, best first; what failed stands at the end with its cause."""
    boards: Boards = request.app.state.boards
    board = boards.of(client, client.job(job_id))
    fitting = [
        row
        for row in board.models
        if (not algorithm or row.algorithm in algorithm) and (not status or row.status in status)
    ]
    return board.model_copy(update={"models": list(page.of(ordered(fitting, sort, order)))})


@router.get(
    "/job/{job_id}/trials/{trial}/script",
    responses={**SCRIPT, **told(404, 409, 422)},
    response_class=Response,
)
def trial_script(
    job_id: str,
    trial: Annotated[int, Path(ge=0, le=2**31 - 1)],
    client: TheClient,
    format: Annotated[Literal["py", "ipynb"], Query(description="py: a script; ipynb: a notebook.")] = "py",
) -> Response:
    """A row of the leaderboard as a script that rebuilds it from the table with public libraries."""
    name = scripts.name_of(job_id, trial, format)
    text = scripts.script_of(client, job_id, trial, format)
    return Response(
        text,
        media_type="text/x-python" if format == "py" else "application/x-ipynb+json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/job/{job_id}/trials/{trial}/verify", status_code=202, responses=told(404, 409))
def verify_trial(
    job_id: str, trial: Annotated[int, Path(ge=0, le=2**31 - 1)], client: TheClient
) -> VerificationAnswer:
    """Evaluate a row of the leaderboard again on a worker and compare the scores of its folds."""
    return VerificationAnswer.of_job(client.verify_row(job_id, trial))


@router.get("/job/{job_id}/verifications", responses=told(404))
def list_verifications(job_id: str, client: TheClient) -> list[VerificationAnswer]:
    """Rows of a job that were or are evaluated again, newest first."""
    return [VerificationAnswer.of_job(each) for each in client.verifications(job_id)]


@router.get("/models", responses=PAGED)
def list_models(client: TheClient, page: ThePage) -> list[ModelSummary]:
    """All models that are kept and can predict, newest first."""
    page.tell(client.count_models())
    return [ModelSummary.of_model(model) for model in client.models(None, page.limit, page.offset)]


@router.get("/job/{job_id}/models", responses=told(404))
def job_models(job_id: str, client: TheClient) -> list[ModelAnswer]:
    """The models of a job that are kept and can predict."""
    client.job(job_id)
    return [ModelAnswer.of_model(model) for model in client.models(job_id)]


@router.get("/model/{model_id}", responses=told(404))
def get_model(model_id: str, client: TheClient) -> ModelAnswer:
    """One model: its score, the columns it expects, what matters to it."""
    return ModelAnswer.of_model(client.model(model_id))


@router.get("/model/{model_id}/explanations", responses=told(404))
def model_explanations(model_id: str, client: TheClient) -> Explanations:
    """What matters to a model, and where it is right and wrong on rows that it had not seen."""
    return Explanations.of(client.model(model_id))


@router.post("/model/{model_id}/predict", responses=told(404, 409, 422))
async def predict_rows(model_id: str, asked: PredictAsked, studio: TheStudio) -> Prediction:
    """Predict one row (an object) or many (a list of objects)."""
    return await to_thread.run_sync(predict, studio.serving, model_id, asked.data, asked.per_row)


@router.get("/model/{model_id}/download", responses={**FILE, **told(404, 422, 503)}, response_class=Response)
def download_model(
    model_id: str,
    studio: TheStudio,
    format: Annotated[str, Query(description=f"One of: {FORMATS}.", examples=["onnx"])] = "onnx",
    variant: Annotated[str, Query(description="champion, or compact: a smaller model.")] = "champion",
    ml: Annotated[int, Query(description="Version of ai.onnx.ml: 5, or 3 for older runtimes.")] = ML,
) -> Response:
    """The model as a file, as a package that predicts without FlowML, or what is written about it."""
    client = studio.client
    return download(client, studio.serving, client.model(model_id), format, variant, ml)
