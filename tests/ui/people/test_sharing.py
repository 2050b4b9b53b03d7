"""What is private stays private: over REST, on the WebSocket, in lists; and paths lead nowhere."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from flowml.runner.studio import Studio
from flowml.storage import jobs, models
from flowml.storage.records import Artifact, JobState, Model, Task

As = Callable[[str], httpx.Client]
ROWS = "x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(30))


@pytest.fixture(scope="module")
def private(as_user: As, staffed: Studio) -> dict[str, str]:
    """Ids of what Ada has: a dataset, a job, its model, a name in the registry."""
    ada = as_user("ada")
    dataset = ada.put("/datasets/secret.csv", content=ROWS.encode()).json()["id"]
    job = ada.post("/training/start", json={"dataset_id": dataset, "target_column": "y"}).json()["job_id"]
    model = Model("model-a", job, "m", "dummy", Task.BINARY, "accuracy", 0.5, 1.0, Artifact("ab" * 32, 9))
    with staffed.client._db.write() as cursor:
        models.insert(cursor, model)
        jobs.update(cursor, job, state=JobState.FINISHED)
    assert ada.post("/registry/churn", json={"model_id": model.id, "alias": "live"}).status_code == 201
    return {"dataset": dataset, "job": job, "model": model.id}


PRIVATE = [
    ("GET", "/datasets/{dataset}"),
    ("GET", "/datasets/{dataset}/preview"),
    ("GET", "/datasets/{dataset}/stats"),
    ("GET", "/datasets/{dataset}/profile"),
    ("GET", "/datasets/{dataset}/associations?target=y"),
    ("GET", "/datasets/{dataset}/difference?since={dataset}"),
    ("PUT", "/datasets/{dataset}/roles"),
    ("POST", "/datasets/{dataset}/query"),
    ("POST", "/datasets/{dataset}/derive"),
    ("PUT", "/datasets/{dataset}/project"),
    ("DELETE", "/datasets/{dataset}"),
    ("POST", "/training/start"),
    ("GET", "/training/{job}"),
    ("POST", "/training/{job}/cancel"),
    ("POST", "/training/{job}/stop"),
    ("POST", "/training/{job}/pause"),
    ("POST", "/training/{job}/resume"),
    ("POST", "/training/{job}/clone"),
    ("PUT", "/training/{job}/project"),
    ("GET", "/training/{job}/receipt"),
    ("GET", "/training/{job}/trials"),
    ("GET", "/training/{job}/events"),
    ("DELETE", "/training/{job}"),
    ("GET", "/results/job/{job}/leaderboard"),
    ("GET", "/results/job/{job}/models"),
    ("GET", "/results/model/{model}"),
    ("GET", "/results/model/{model}/explanations"),
    ("GET", "/results/model/{model}/download"),
    ("POST", "/results/model/{model}/predict"),
    ("POST", "/results/model/{model}/contributions"),
    ("GET", "/results/model/{model}/dependence?column=x"),
    ("POST", "/results/model/{model}/similar"),
    ("GET", "/results/model/{model}/statements"),
    ("POST", "/results/model/{model}/ask"),
    ("GET", "/results/model/churn@live"),
    ("POST", "/results/model/churn:1/predict"),
    ("POST", "/registry/mine"),
    ("GET", "/registry/churn"),
    ("PUT", "/registry/churn/aliases/live"),
    ("DELETE", "/registry/churn/aliases/live"),
    ("DELETE", "/registry/churn/versions/1"),
]
BODIES = {
    "/roles": {"roles": {}},
    "/query": {"sql": "SELECT * FROM dataset"},
    "/derive": {"sql": "SELECT * FROM dataset"},
    "/project": {"project": ""},
    "/predict": {"data": {"x": 1}},
    "/contributions": {"row": {"x": 1}},
    "/similar": {"row": {"x": 1}},
    "/ask": {"question": "What matters most?"},
    "/start": {"dataset_id": "{dataset}", "target_column": "y"},
    "/mine": {"model_id": "{model}"},
    "/live": {"version": 1},
}


@pytest.mark.parametrize("who", ["bob", "vic"])
@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_what_is_private_is_not_there_for_others(
    as_user: As, private: dict[str, str], method: str, path: str, who: str
) -> None:
    asked = json.dumps(BODIES.get("/" + path.rpartition("/")[2], {}))
    for name, id in private.items():
        path, asked = path.replace(f"{{{name}}}", id), asked.replace(f"{{{name}}}", id)
    body = {"json": json.loads(asked)} if method in ("POST", "PUT") else {}
    answer = as_user(who).request(method, path, **body)  # type: ignore[arg-type]
    assert answer.status_code in ({404} if who == "bob" else {403, 404}), answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize("place", ["/datasets", "/training", "/results/models", "/registry", "/logs"])
def test_no_list_shows_what_others_have(as_user: As, private: dict[str, str], place: str) -> None:
    told = as_user("bob").get(place)
    assert told.status_code == 200
    assert not any(id in told.text for id in private.values())
    assert "secret" not in told.text
    if place != "/logs":
        assert any(id in as_user("ada").get(place).text for id in private.values())
        assert any(id in as_user("root").get(place).text for id in private.values())


def test_a_project_lets_others_see_and_only_it(as_user: As, ids: dict[str, str]) -> None:
    ada, bob = as_user("ada"), as_user("bob")
    dataset = ada.put("/datasets/shared.csv", content=ROWS.encode()).json()
    assert (dataset["project"], dataset["owner"]) == (ids["ada"], "ada")
    project = ada.post("/projects", json={"name": "Churn"}).json()["id"]
    moved = ada.put(f"/datasets/{dataset['id']}/project", json={"project": project}).json()
    assert moved["project"] == project
    assert bob.get(f"/datasets/{dataset['id']}").status_code == 404
    ada.put(f"/projects/{project}/members/{ids['bob']}", json={"role": "viewer"})
    assert bob.get(f"/datasets/{dataset['id']}").status_code == 200
    assert bob.delete(f"/datasets/{dataset['id']}").json()["code"] == "not_allowed"
    assert [each["id"] for each in bob.get(f"/datasets?project={project}").json()] == [dataset["id"]]
    ada.delete(f"/projects/{project}/members/{ids['bob']}")
    assert bob.get(f"/datasets/{dataset['id']}").status_code == 404


def test_the_websocket_tells_of_no_job_that_one_may_not_see(
    as_user: As, staffed_address: str, private: dict[str, str], token_of: Callable[..., str]
) -> None:
    url = staffed_address.replace("http", "ws", 1) + "/ws"
    with pytest.raises(InvalidStatus, match="403"):
        connect(url)
    seats = {who: {"Authorization": f"Bearer {token_of(who)}"} for who in ("ada", "bob")}
    asked = {"dataset_id": private["dataset"], "target_column": "y"}
    with (
        connect(url, additional_headers=seats["ada"]) as ada,
        connect(url, additional_headers=seats["bob"]) as bob,
    ):
        time.sleep(1.2)
        job = as_user("ada").post("/training/start", json=asked).json()["job_id"]
        as_user("ada").post(f"/training/{job}/cancel")
        assert json.loads(ada.recv(10))["event"] == "training_cancelled"
        with pytest.raises(TimeoutError):
            bob.recv(0.7)


PARTS = ["..", "%2e%2e", "%252e%252e", "..%2f", "..%5c", ".%00.", "%c0%ae%c0%ae", "....//", "..;"]
GOALS = ["etc/passwd", "flowml.duckdb", "studio.json"]
PLACES = ["/datasets/{}", "/training/{}", "/results/model/{}/download", "/registry/{}", "/workers/{}"]
PATHS = [place.format(f"{part}/{goal}") for place, part, goal in itertools.product(PLACES, PARTS, GOALS)]
OWNERS = ["/datasets/{}", "/training/{}", "/results/model/{}", "/tokens/{}", "/projects/{}"]
IDS = ["1", "0", "-1", "model-a'--", "' OR '1'='1", "user-", "null", "dataset-" + "0" * 20, "*", "%25"]
GUESSES = [place.format(id) for place, id in itertools.product(OWNERS, IDS)]


def test_paths_lead_nowhere_and_ids_are_not_guessed(as_user: As) -> None:
    """Some two hundred requests, as an editor: each is refused, none fails."""
    asked = [("GET", path) for path in PATHS]
    asked += [("DELETE" if "tokens" in path or "projects" in path else "GET", path) for path in GUESSES]
    assert len(asked) > 180
    answers = {path: as_user("ada").request(method, path).status_code for method, path in asked}
    assert {path: status for path, status in answers.items() if status not in (404, 405, 422)} == {}
