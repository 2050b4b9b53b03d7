"""What can be done with a job over REST beside starting it, and what can be asked of one that has ended."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import httpx
import pytest

from flowml.runner.studio import Studio
from flowml.storage import jobs, models, trials
from flowml.storage.records import (
    Artifact,
    Importance,
    JobState,
    LeaderboardRow,
    Model,
    Receipt,
    Task,
    TrialRecord,
    TrialState,
)
from flowml.ui.api.boards import Boards


def start(api: httpx.Client, table: str, **asked: Any) -> str:
    body = {"dataset_id": table, "target_column": "species", "time_budget": 0.5} | asked
    return str(api.post("/training/start", json=body).json()["job_id"])


def known_as(studio: Studio, job: str, state: JobState, **changes: object) -> None:
    with studio.client._db.write() as cursor:
        jobs.update(cursor, job, state=state, **changes)


@pytest.fixture
def ended(api: httpx.Client, studio: Studio, flowers: str) -> str:
    """A job as it stands at its end, with three trials and one model."""
    job = start(api, flowers)
    records = [
        TrialRecord(1, "dummy", {}, TrialState.COMPLETE, score=0.5, fit_seconds=3.0, metric="accuracy"),
        TrialRecord(2, "lightgbm", {}, TrialState.COMPLETE, score=0.9, fit_seconds=2.0, metric="accuracy"),
        TrialRecord(3, "xgboost", {}, TrialState.FAILED, cause="It broke."),
    ]
    board = [
        LeaderboardRow(1, "b", "lightgbm", 0.9, 0.1, "accuracy", 2.0, 0.4, 900, TrialState.COMPLETE),
        LeaderboardRow(2, "a", "dummy", 0.5, 0.0, "accuracy", 3.0, 0.1, 10, TrialState.COMPLETE),
        LeaderboardRow(None, "c", "xgboost", None, None, "accuracy", 1.0, None, 0, TrialState.FAILED),
    ]
    model = Model(
        id=job.replace("job", "model"),
        job_id=job,
        name="b",
        algorithm="lightgbm",
        task=Task.BINARY,
        metric="accuracy",
        score=0.9,
        created_at=time.time(),
        onnx=Artifact("ab" * 32, 900),
        importances=(Importance("petals", 0.3, 0.1),),
        diagnostics={"confusion": {"labels": ["lily", "rose"]}},
    )
    with studio.client._db.write() as cursor:
        for record in records:
            trials.upsert(cursor, job, record)
        models.insert(cursor, model)
        models.put_leaderboard(cursor, job, board)
    known_as(studio, job, JobState.FINISHED, receipt=Receipt(30.0, 28.5), champion=model.id)
    return job


SORTS = [
    ({}, ["b", "a", "c"]),
    ({"sort": "score", "order": "asc"}, ["a", "b", "c"]),
    ({"sort": "training_time"}, ["c", "b", "a"]),
    ({"sort": "latency_ms", "order": "desc"}, ["b", "a", "c"]),
    ({"sort": "name", "order": "desc"}, ["c", "b", "a"]),
    ({"algorithm": ["dummy", "xgboost"]}, ["a", "c"]),
    ({"status": "complete", "limit": 1, "offset": 1}, ["a"]),
]


@pytest.mark.parametrize(("asked", "names"), SORTS)
def test_a_leaderboard_is_sorted_and_narrowed(
    api: httpx.Client, ended: str, asked: dict[str, Any], names: list[str]
) -> None:
    answer = api.get(f"/results/job/{ended}/leaderboard", params=asked)
    assert [row["name"] for row in answer.json()["models"]] == names


def test_a_leaderboard_is_read_once_its_job_has_ended(
    studio: Studio, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards, client, job = Boards(), studio.client, studio.client.job(ended)
    first = boards.of(client, job)
    assert boards.of(client, job) is first
    assert boards.of(client, dataclasses.replace(job, state=JobState.RUNNING)) is not first
    monkeypatch.setattr("flowml.ui.api.boards.MOST_ROWS", 4)
    again = dataclasses.replace(job, ended_at=9.0)
    assert boards.of(client, again) is boards.of(client, again)
    assert boards.of(client, job) is not first


def test_trials_receipt_and_explanations_are_told(api: httpx.Client, ended: str) -> None:
    told = api.get(f"/training/{ended}/trials", params={"status": ["failed"]}).json()
    assert [(each["number"], each["cause"]) for each in told] == [(3, "It broke.")]
    assert api.get(f"/training/{ended}/receipt").json()["used_s"] == 28.5
    model = ended.replace("job", "model")
    told = api.get(f"/results/model/{model}/explanations").json()
    assert told["importances"] == [{"column": "petals", "mean": 0.3, "std": 0.1}]
    assert told["diagnostics"]["confusion"]["labels"] == ["lily", "rose"]
    listed = api.get("/results/models").json()[0]
    assert (listed["id"], listed["size"]) == (model, 900)


def test_a_job_without_a_receipt_says_so(api: httpx.Client, flowers: str) -> None:
    answer = api.get(f"/training/{start(api, flowers)}/receipt")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_job_is_started_again_with_changes(api: httpx.Client, flowers: str) -> None:
    first = start(api, flowers, seed=7, model_types=["lightgbm", "dummy"], max_trials=4)
    changes = {"time_budget": 1, "model_types": ["dummy"], "max_trials": None, "name": "again"}
    again = api.post(f"/training/{first}/clone", json=changes)
    assert again.status_code == 202
    told = api.get(f"/training/{again.json()['job_id']}").json()
    assert (told["time_budget"], told["name"], told["dataset_id"]) == (1.0, "again", flowers)
    same = api.post(f"/training/{first}/clone", json={}).json()["job_id"]
    assert api.get(f"/training/{same}").json()["time_budget"] == 0.5
    assert api.post(f"/training/{first}/clone", json={"target_column": "colour"}).status_code == 422
    assert api.post("/training/nothing/clone", json={}).status_code == 404


def test_only_a_running_job_is_paused_and_only_a_paused_one_resumed(
    api: httpx.Client, studio: Studio, flowers: str
) -> None:
    job = start(api, flowers)
    assert api.post(f"/training/{job}/pause").json()["code"] == "conflict"
    assert api.post(f"/training/{job}/resume").json()["code"] == "conflict"
    known_as(studio, job, JobState.RUNNING)
    assert api.post(f"/training/{job}/pause").json() == {"job_id": job, "status": "running"}
    known_as(studio, job, JobState.PAUSED)
    assert api.post(f"/training/{job}/pause").json()["status"] == "paused"
    assert api.post(f"/training/{job}/resume").status_code == 202
    known_as(studio, job, JobState.RUNNING)
    assert api.post(f"/training/{job}/resume").json()["code"] == "conflict"
    known_as(studio, job, JobState.CANCELLED)


def test_jobs_are_narrowed_by_dataset_and_kind(api: httpx.Client, flowers: str) -> None:
    job = start(api, flowers)
    answer = api.get("/training", params={"dataset_id": flowers, "kind": "training", "limit": 1})
    assert [each["id"] for each in answer.json()] == [job]
    assert int(answer.headers["x-total-count"]) > 1
    assert api.get("/training", params={"dataset_id": "nothing"}).json()["code"] == "not_found"
    assert api.get("/training", params={"kind": "prediction"}).json() == []


def test_jobs_are_narrowed_by_the_name_of_their_dataset(api: httpx.Client) -> None:
    def put() -> str:
        rows = "x,species\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(30))
        return str(api.put("/datasets/narrow.csv", content=rows).json()["id"])

    def on(dataset: str) -> list[str]:
        return [each["id"] for each in api.get("/training", params={"dataset_id": dataset}).json()]

    first = put()
    older = start(api, first)
    second = put()
    newer = start(api, second)
    name = api.get(f"/datasets/{first}").json()["name"]
    assert (on(name), on(f"{name}:2"), on(f"{name}:1"), on(first)) == ([newer], [newer], [older], [older])
    api.post(f"/training/{older}/cancel")
    assert api.delete(f"/datasets/{first}").status_code == 204
    assert on(first) == [older]
    answer = api.get("/training", params={"dataset_id": f"{name}:7"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    api.post(f"/training/{newer}/cancel")
