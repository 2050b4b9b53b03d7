"""/api/training: jobs are started, watched and ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from flowml.storage.errors import Conflict
from flowml.storage.records import JobKind, JobState, Receipt, TrialRecord, TrialState
from flowml.ui.api.access import still_in
from flowml.ui.api.bodies.training import JobAnswer, TrainingAsked, TrainingChanges, TrainingStarted
from flowml.ui.api.once import KEYED, OnceRoute
from flowml.ui.api.paging import PAGED, ThePage
from flowml.ui.api.stream import EVENT_STREAM, tail
from flowml.ui.api.studio import Stopping, TheClient, TheStudio
from flowml.ui.problems import told

router = APIRouter(prefix="/training", tags=["training"], route_class=OnceRoute)


@router.post(
    "/start",
    status_code=status.HTTP_202_ACCEPTED,
    responses=told(404, 409, 422, 503),
    dependencies=KEYED,
)
def start_training(asked: TrainingAsked, studio: TheStudio) -> TrainingStarted:
    """Check what is asked and queue it. The job waits until a worker takes it."""
    job = studio.client.submit(asked.spec(studio.settings.default_budget))
    return TrainingStarted(job_id=job.id, status=job.state)


@router.get("", responses={**PAGED, **told(404, 409)})
def list_trainings(
    client: TheClient,
    page: ThePage,
    status: Annotated[list[JobState] | None, Query(description="Only jobs in these states.")] = None,
    kind: Annotated[JobKind | None, Query(description="Only jobs of this kind.")] = None,
    dataset_id: Annotated[
        str | None, Query(description="Only jobs on this dataset: its id, its name, or name:version.")
    ] = None,
) -> list[JobAnswer]:
    """Jobs, newest first."""
    page.tell(client.count_jobs(status or None, kind, dataset_id))
    jobs = client.jobs(status or None, page.limit, page.offset, kind, dataset_id)
    return [JobAnswer.of_job(job) for job in jobs]


@router.get("/{job_id}", responses=told(404))
def get_training(job_id: str, client: TheClient) -> JobAnswer:
    """One job as it stands."""
    return JobAnswer.of_job(client.job(job_id))


@router.post("/{job_id}/cancel", status_code=status.HTTP_202_ACCEPTED, responses=told(404, 409))
def cancel_training(job_id: str, client: TheClient) -> TrainingStarted:
    """End the job as soon as possible and keep no model."""
    return TrainingStarted(job_id=job_id, status=client.cancel(job_id).state)


@router.post("/{job_id}/stop", status_code=status.HTTP_202_ACCEPTED, responses=told(404, 409))
def stop_training(job_id: str, client: TheClient) -> TrainingStarted:
    """End the search now and keep the best model found so far."""
    return TrainingStarted(job_id=job_id, status=client.stop(job_id).state)


@router.post("/{job_id}/pause", status_code=status.HTTP_202_ACCEPTED, responses=told(404, 409, 503))
def pause_training(job_id: str, client: TheClient) -> TrainingStarted:
    """Let the running trials end and begin no other; the budget's clock stands still."""
    return TrainingStarted(job_id=job_id, status=client.pause(job_id).state)


@router.post("/{job_id}/resume", status_code=status.HTTP_202_ACCEPTED, responses=told(404, 409, 503))
def resume_training(job_id: str, client: TheClient) -> TrainingStarted:
    """Go on with a job that was paused."""
    return TrainingStarted(job_id=job_id, status=client.resume(job_id).state)


@router.post(
    "/{job_id}/clone",
    status_code=status.HTTP_202_ACCEPTED,
    responses=told(404, 409, 422, 503),
    dependencies=KEYED,
)
def clone_training(job_id: str, asked: TrainingChanges, client: TheClient) -> TrainingStarted:
    """Start the same again, with other values where they are given."""
    job = client.clone(job_id, asked.changes())
    return TrainingStarted(job_id=job.id, status=job.state)


@router.get("/{job_id}/receipt", responses=told(404, 409))
def get_receipt(job_id: str, client: TheClient) -> Receipt:
    """What was asked of the clock and what was used, once the job has ended."""
    job = client.job(job_id)
    if job.receipt is None:
        raise Conflict(f"Job {job_id} is {job.state} and has no receipt.", "It is written at its end.")
    return job.receipt


@router.get("/{job_id}/trials", responses={**PAGED, **told(404)})
def list_trials(
    job_id: str,
    client: TheClient,
    page: ThePage,
    status: Annotated[list[TrialState] | None, Query(description="Only trials in these states.")] = None,
) -> list[TrialRecord]:
    """The trials of a job, in the order they were proposed."""
    page.tell(client.count_trials(job_id, status))
    return list(client.trials(job_id, status, page.limit, page.offset))


@router.delete("/{job_id}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404, 409))
def delete_training(job_id: str, client: TheClient) -> Response:
    """Forget an ended job with its trials and models."""
    client.delete_job(job_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/{job_id}/events", responses=EVENT_STREAM | told(404), response_class=StreamingResponse)
async def training_events(
    request: Request,
    job_id: str,
    client: TheClient,
    stopping: Stopping,
    after: Annotated[str, Query(description="Id of the last event already seen.")] = "0",
    last_event_id: Annotated[str | None, Header(description="Sent by browsers that connect again.")] = None,
) -> StreamingResponse:
    """The job's progress as Server-Sent Events, from the first one kept; ends when the job has ended."""
    return await tail(client, job_id, last_event_id or after, stopping, still_in(request))
