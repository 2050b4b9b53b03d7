"""/api/training: jobs are started, watched and ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status
from fastapi.responses import StreamingResponse

from flowml.storage.records import JobState
from flowml.ui.api.bodies.training import JobAnswer, TrainingAsked, TrainingStarted
from flowml.ui.api.stream import EVENT_STREAM, tail
from flowml.ui.api.studio import Stopping, TheClient, TheStudio
from flowml.ui.problems import told

router = APIRouter(prefix="/training", tags=["training"])


@router.post("/start", status_code=status.HTTP_202_ACCEPTED, responses=told(404, 409, 422, 503))
def start_training(asked: TrainingAsked, studio: TheStudio) -> TrainingStarted:
    """Check what is asked and queue it. The job waits until a worker takes it."""
    job = studio.client.submit(asked.spec(studio.settings.default_budget))
    return TrainingStarted(job_id=job.id, status=job.state)


@router.get("")
def list_trainings(
    client: TheClient,
    status: Annotated[list[JobState] | None, Query(description="Only jobs in these states.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> list[JobAnswer]:
    """Jobs, newest first."""
    jobs = client.jobs(status or None, limit, offset)
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


@router.delete("/{job_id}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404, 409))
def delete_training(job_id: str, client: TheClient) -> Response:
    """Forget an ended job with its trials and models."""
    client.delete_job(job_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/{job_id}/events", responses=EVENT_STREAM | told(404), response_class=StreamingResponse)
async def training_events(
    job_id: str,
    client: TheClient,
    stopping: Stopping,
    after: Annotated[str, Query(description="Id of the last event already seen.")] = "0",
    last_event_id: Annotated[str | None, Header(description="Sent by browsers that connect again.")] = None,
) -> StreamingResponse:
    """The job's progress as Server-Sent Events, from the first one kept; ends when the job has ended."""
    return await tail(client, job_id, last_event_id or after, stopping)
