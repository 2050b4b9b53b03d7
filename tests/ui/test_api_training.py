"""Jobs over REST, in a studio without workers: they are checked, wait, and are ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

JSON = {"Content-Type": "application/json"}


def start(api: httpx.Client, table: str, /, **asked: Any) -> httpx.Response:
    return api.post("/training/start", json={"dataset_id": table, "target_column": "species"} | asked)


def test_a_job_is_queued_as_asked(api: httpx.Client, flowers: str) -> None:
    answer = start(
        api, flowers, problem_type="binary", time_budget=0.5, model_types=["lightgbm"], n_trials_per_model=3
    )
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
    told = api.get(f"/training/{answer.json()['job_id']}").json()
    assert (told["status"], told["dataset_id"], told["target_column"]) == ("queued", flowers, "species")
    assert (told["time_budget"], told["dataset_name"], told["kind"]) == (0.5, "flowers", "training")


def test_what_is_not_asked_is_chosen(api: httpx.Client, flowers: str) -> None:
    told = api.get(f"/training/{start(api, flowers).json()['job_id']}").json()
    assert (told["time_budget"], told["status"]) == (5.0, "queued")


def test_jobs_are_listed_newest_first_and_by_state(api: httpx.Client, flowers: str) -> None:
    ids = [start(api, flowers).json()["job_id"] for _ in range(3)]
    assert [job["id"] for job in api.get("/training", params={"limit": 3}).json()] == ids[::-1]
    assert [job["id"] for job in api.get("/training", params={"limit": 1, "offset": 1}).json()] == [ids[1]]
    ended = api.get("/training", params={"status": ["finished", "failed"]}).json()
    assert not {job["id"] for job in ended} & set(ids)
    assert api.get("/training", params={"status": "asleep"}).status_code == 422


def test_a_waiting_job_is_cancelled_and_then_forgotten(api: httpx.Client, flowers: str) -> None:
    id = start(api, flowers).json()["job_id"]
    assert api.delete(f"/training/{id}").json()["code"] == "conflict"
    assert api.post(f"/training/{id}/cancel").json() == {"job_id": id, "status": "cancelled"}
    assert api.post(f"/training/{id}/cancel").json()["status"] == "cancelled"
    assert api.post(f"/training/{id}/stop").status_code in (202, 409)
    assert api.delete(f"/training/{id}").status_code == 204
    assert api.get(f"/training/{id}").status_code == 404


BAD: list[tuple[dict[str, Any], int, str, str]] = [
    ({"target_column": "colour"}, 422, "unknown_column", "colour"),
    ({"target_column": ""}, 422, "spec", "target"),
    ({"dataset_id": "nothing"}, 404, "not_found", "nothing"),
    ({"problem_type": "guess"}, 422, "request", "body.problem_type"),
    ({"time_budget": 0}, 422, "request", "body.time_budget"),
    ({"time_budget": "soon"}, 422, "request", "body.time_budget"),
    ({"time_budget": 100_000}, 422, "spec", "budget"),
    ({"model_types": ["lightgbm", "lgbm"]}, 422, "spec", "lgbm"),
    ({"metric": "goodness"}, 422, "spec", "goodness"),
    ({"n_trials_per_model": 0}, 422, "request", "n_trials_per_model"),
    ({"time_budget": 1.7e308}, 422, "spec", "budget"),
    ({"max_size_mb": 1e305}, 422, "request", "max_size_mb"),
    ({"max_trials": 10**30}, 422, "request", "max_trials"),
    ({"memory": 10**30}, 422, "request", "memory"),
    ({"folds": 10**30}, 422, "spec", "folds"),
    ({"folds": 1}, 422, "spec", "folds"),
    ({"split": "group:herd"}, 422, "unknown_column", "herd"),
    ({"roles": {"petals": "nonsense"}}, 422, "request", "roles"),
    ({"trials": 7}, 422, "request", "body.trials"),
]


@pytest.mark.parametrize(("asked", "status", "code", "word"), BAD)
def test_what_cannot_be_done_is_explained(
    api: httpx.Client, flowers: str, asked: dict[str, Any], status: int, code: str, word: str
) -> None:
    before = api.get("/training").json()
    answer = start(api, flowers, **asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert word in answer.json()["detail"]
    assert api.get("/training").json() == before


def test_a_body_that_is_too_long_is_refused(api: httpx.Client) -> None:
    for body in ((bytes(2**20) for _ in range(60)), bytes(60 * 2**20)):
        answer = api.post("/training/start", content=body, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


BODIES = [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"a": "\xff"}', b"[" * 100_000]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_object_is_explained(api: httpx.Client, body: bytes) -> None:
    answer = api.post("/training/start", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "request")


def test_a_body_of_another_type_is_named(api: httpx.Client) -> None:
    answer = api.post("/training/start", content=b"a,b", headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()["detail"]) == (422, "The body came as text/csv.")
    assert "application/json" in answer.json()["advice"]


def test_a_job_on_a_deleted_dataset_is_refused(api: httpx.Client) -> None:
    lines = "\n".join(f"{i},{i % 2}" for i in range(30))
    id = api.put("/datasets/short-lived.csv", content=f"x,species\n{lines}".encode()).json()["id"]
    api.delete(f"/datasets/{id}")
    answer = start(api, id)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "deleted" in answer.json()["detail"]


def test_a_dataset_in_use_is_kept(api: httpx.Client) -> None:
    lines = "\n".join(f"{i},{i % 2}" for i in range(30))
    id = api.put("/datasets/busy.csv", content=f"x,species\n{lines}".encode()).json()["id"]
    job = start(api, id).json()["job_id"]
    assert api.delete(f"/datasets/{id}").json()["code"] == "conflict"
    api.post(f"/training/{job}/cancel")
    assert api.delete(f"/datasets/{id}").status_code == 204


def test_jobs_started_at_once_are_as_many_jobs(api: httpx.Client, flowers: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: start(api, flowers), range(8)))
    ids = {answer.json()["job_id"] for answer in answers}
    assert len(ids) == 8
    assert ids <= {job["id"] for job in api.get("/training").json()}


def test_events_of_an_ended_job_end(api: httpx.Client, flowers: str) -> None:
    id = start(api, flowers).json()["job_id"]
    api.post(f"/training/{id}/cancel")
    with api.stream("GET", f"/training/{id}/events", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        blocks = answer.read().decode().split("\n\n")
    assert blocks[-2:] == ["event: end\ndata: {}", ""]


def test_events_are_refused_where_there_are_none(api: httpx.Client, flowers: str) -> None:
    id = start(api, flowers).json()["job_id"]
    assert api.get(f"/training/{id}/events", params={"after": "yesterday"}).json()["code"] == "input"
    assert api.get("/training/nothing/events").json()["code"] == "not_found"


@pytest.mark.parametrize("way", ["", "/cancel", "/stop"])
def test_an_unknown_job_is_not_found(api: httpx.Client, way: str) -> None:
    answer = api.post(f"/training/nothing{way}") if way else api.get("/training/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
