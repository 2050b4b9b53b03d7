"""What happens is told as it happens: over a WebSocket, as a log that grows, and as figures."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from flowml.runner import roster
from flowml.runner.news import NewsKind, compared
from flowml.runner.studio import Studio
from flowml.storage import jobs, logs
from flowml.storage.db import Database
from flowml.storage.records import (
    Capabilities,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Level,
    LogLine,
    Worker,
)

SOON_S = 60.0


@contextmanager
def listening(address: str) -> Iterator[ClientConnection]:
    with connect(address.replace("http", "ws", 1) + "/api/ws") as socket:
        time.sleep(1.2)  # the first look at what is
        yield socket


def heard(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while (news := json.loads(socket.recv(SOON_S)))["event"] != kind:
        pass
    return dict(news)


def change(db: Database, job: str, **changes: Any) -> None:
    with db.write() as cursor:
        jobs.update(cursor, job, **changes)


def test_a_job_and_a_worker_are_told_of(
    api: httpx.Client, api_address: str, studio: Studio, flowers: str
) -> None:
    db, redis = studio.client._db, studio.client._redis
    asked = {"dataset_id": flowers, "target_column": "species"}
    worker = Worker("w9", ("cpu",), Capabilities("cpu", 1, 1, 1, None, 1, 1), 1.0, 2.0)
    with listening(api_address) as socket:
        job = api.post("/training/start", json=asked).json()["job_id"]
        change(db, job, state=JobState.RUNNING, started_at=time.time())
        assert heard(socket, "training_started")["job_id"] == job
        change(db, job, trials=3, best_score=0.7)
        assert heard(socket, "training_progress")["best_score"] == 0.7
        change(db, job, state=JobState.FAILED, cause="It broke.")
        assert heard(socket, "training_failed")["cause"] == "It broke."
        roster.announce(redis, worker, 30)
        assert heard(socket, "worker_connected")["worker"] == "w9"
        roster.leave(redis, "w9")
        assert heard(socket, "worker_disconnected")["worker"] == "w9"


def job(state: JobState, **more: Any) -> Job:
    return Job("job-1", JobKind.TRAINING, state, JobSpec("y"), 1.0, **more)


STEPS = [
    (None, job(JobState.QUEUED), []),
    (job(JobState.QUEUED), job(JobState.RUNNING, started_at=2.0), [NewsKind.TRAINING_STARTED]),
    (
        job(JobState.QUEUED),
        job(JobState.FINISHED, started_at=2.0),
        [NewsKind.TRAINING_STARTED, NewsKind.TRAINING_COMPLETED],
    ),
    (job(JobState.RUNNING, started_at=2.0), job(JobState.RUNNING, started_at=2.0), []),
    (
        job(JobState.RUNNING, started_at=2.0),
        job(JobState.PAUSED, started_at=2.0),
        [NewsKind.TRAINING_PROGRESS],
    ),
    (
        job(JobState.PAUSED, started_at=2.0),
        job(JobState.STOPPED, started_at=2.0),
        [NewsKind.TRAINING_COMPLETED],
    ),
    (job(JobState.QUEUED), job(JobState.CANCELLED), [NewsKind.TRAINING_CANCELLED]),
]


@pytest.mark.parametrize(("before", "now", "kinds"), STEPS)
def test_two_looks_at_a_job_tell_what_happened(before: Job | None, now: Job, kinds: list[NewsKind]) -> None:
    assert [news.kind for news in compared(before, now)] == kinds


def test_the_log_is_followed(api: httpx.Client, studio: Studio) -> None:
    def say(text: str) -> None:
        with studio.client._db.write() as cursor:
            logs.append(cursor, [LogLine(time.time(), Level.WARNING, "w", text, "job-log")])

    say("before")
    with api.stream("GET", "/logs/follow", params={"job_id": "job-log", "last": 1}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = (json.loads(line[6:])["message"] for line in answer.iter_lines() if line.startswith("data: "))
        assert next(told) == "before"
        say("after")
        assert next(told) == "after"


def test_figures_are_told_to_prometheus(api: httpx.Client, flowers: str) -> None:
    api.get(f"/datasets/{flowers}")
    answer = api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text
    assert "flowml_up 1.0" in text
    assert 'flowml_jobs{state="finished"}' in text
    assert 'flowml_requests_total{method="GET",route="/datasets/{dataset_id}",status="200"}' in text
    assert flowers not in text
    assert 'flowml_request_seconds_bucket{le="0.005",method="GET"' in text


def test_the_studio_says_that_it_is_ready(api: httpx.Client) -> None:
    assert api.get("/ready").json() == {"ready": True}


def test_a_worker_is_told_of_by_its_name(api: httpx.Client, studio: Studio) -> None:
    worker = Worker("w8", ("cpu",), Capabilities("cpu", 1, 1, 1, None, 1, 1), 1.0, 2.0)
    roster.announce(studio.client._redis, worker, 30)
    assert api.get("/workers/w8").json()["status"] == "idle"
    assert api.delete("/workers/w8").json()["code"] == "conflict"
    roster.leave(studio.client._redis, "w8")
    assert api.get("/workers/w8").status_code == 404
    assert api.get("/workers/nobody").status_code == 404
