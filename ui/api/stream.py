"""The progress of a job as Server-Sent Events."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from threading import Event as Flag
from typing import Any

import anyio
from anyio import to_thread
from pydantic_core import to_json
from starlette.responses import StreamingResponse

from flowml.runner.client import Client
from flowml.storage.errors import InputError
from flowml.storage.records import ENDED, Event

POLL_S = 0.3
KEEPALIVE_S = 15.0
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
EVENT_ID = re.compile(r"\d{1,20}(-\d{1,20})?")

EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events as they happen: `event` is the kind, `data` a JSON object with `at` and more.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


async def tail(
    client: Client, job_id: str, after: str, stopping: Flag, still_in: Callable[[], bool] = lambda: True
) -> StreamingResponse:
    """`still_in` says whether who asks may go on to hear."""
    if not EVENT_ID.fullmatch(after):
        raise InputError(f"{after[:60]!r} is no id of an event.", "Send the id of one that you got, or 0.")
    await to_thread.run_sync(client.job, job_id)  # NotFound becomes an answer, not a broken stream
    told = lines(client, job_id, after, stopping, still_in)
    return StreamingResponse(told, media_type=MEDIA_TYPE, headers=HEADERS)


async def lines(
    client: Client, job_id: str, after: str, stopping: Flag, still_in: Callable[[], bool] = lambda: True
) -> AsyncIterator[str]:
    """Events until the job has ended and all were sent, the session has ended, or the studio stops."""
    spoken = time.monotonic()
    while not stopping.is_set() and await to_thread.run_sync(still_in):
        ended = (await to_thread.run_sync(client.job, job_id)).state in ENDED  # before the events are read
        events = await to_thread.run_sync(client.events, job_id, after)
        for event in events:
            yield written(event)
            after = event.id
        if ended and not events:
            yield "event: end\ndata: {}\n\n"
            return
        now = time.monotonic()
        if events:
            spoken = now
        elif now - spoken > KEEPALIVE_S:
            spoken = now
            yield ": still here\n\n"
        if not events:
            await anyio.sleep(POLL_S)


def written(event: Event) -> str:
    fields = to_json({"at": event.at} | event.fields, inf_nan_mode="null").decode()
    return f"event: {event.kind}\nid: {event.id}\ndata: {fields}\n\n"
