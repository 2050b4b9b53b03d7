"""What is private stays private: over REST, on the WebSocket, in lists; and paths lead nowhere."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from flowml.runner import roster
from flowml.runner.studio import Studio
from flowml.storage import jobs, models
from flowml.storage.records import Artifact, Capabilities, JobState, Model, Scope, Task, Worker
from flowml.ui import navigation, session
from flowml.ui.api.access import ANYBODY, ROUTES
from flowml.ui.navigation import PAGES, PageRow

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
    batch = ada.post(f"/results/model/{model.id}/batch", json={"dataset_id": dataset}).json()["job_id"]
    return {
        "dataset": dataset,
        "job": job,
        "model": model.id,
        "batch": batch,
        "upload": ada.post("/uploads", json={"name": "secret.csv", "size": 4}).json()["id"],
        "project": ada.post("/projects", json={"name": "Secret"}).json()["id"],
        "token": ada.get("/tokens").json()[0]["id"],
        "own": as_user("bob").put("/datasets/open.csv", content=ROWS.encode()).json()["id"],
    }


PRIVATE = [
    ("GET", "/datasets/{dataset}"),
    ("GET", "/datasets/{dataset}/versions"),
    ("GET", "/datasets/{dataset}/download"),
    ("GET", "/datasets/{dataset}/check?target=y"),
    ("POST", "/datasets/{dataset}/apply"),
    ("GET", "/uploads/{upload}"),
    ("PUT", "/uploads/{upload}"),
    ("GET", "/uploads/{upload}/tables"),
    ("POST", "/uploads/{upload}/finish"),
    ("DELETE", "/uploads/{upload}"),
    ("GET", "/datasets/{dataset}/preview"),
    ("GET", "/datasets/{dataset}/stats"),
    ("GET", "/datasets/{dataset}/profile"),
    ("GET", "/datasets/{dataset}/associations?target=y"),
    ("GET", "/datasets/{dataset}/difference?since={own}"),
    ("GET", "/datasets/{own}/difference?since={dataset}"),
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
    ("GET", "/models/{model}/report"),
    ("GET", "/results/job/{job}/trials/0/script"),
    ("POST", "/results/job/{job}/trials/0/verify"),
    ("GET", "/results/job/{job}/verifications"),
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
    ("POST", "/results/model/{model}/batch"),
    ("POST", "/results/model/{model}/drift"),
    ("GET", "/models/{model}/report"),
    ("GET", "/results/batch/{batch}"),
    ("GET", "/results/batch/{batch}/download"),
    ("GET", "/registry/churn/versions/1"),
    ("GET", "/registry/churn/aliases/live"),
    ("GET", "/registry/churn"),
    ("PUT", "/registry/churn/aliases/live"),
    ("DELETE", "/registry/churn/aliases/live"),
    ("DELETE", "/registry/churn/versions/1"),
    ("PATCH", "/projects/{project}"),
    ("DELETE", "/projects/{project}"),
    ("PUT", "/projects/{project}/members/nobody"),
    ("DELETE", "/projects/{project}/members/nobody"),
    ("DELETE", "/tokens/{token}"),
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
    "/apply": {"fix": {"roles": {}}},
    "/batch": {"dataset_id": "{dataset}"},
    "/drift": {"dataset_id": "{dataset}"},
    "/nobody": {"role": "viewer"},
}
PART = {"Content-Range": "bytes 0-1/4"}  # of an upload
# Of routes that name something: machines and models of elsewhere, which all may see; a name of what is new.
OPEN = {
    ("PUT", "/datasets/{name}"),
    ("GET", "/workers/{name}"),
    ("GET", "/workers/{name}/history"),
    ("GET", "/foreign/{foreign_id}"),
    ("POST", "/foreign/{foreign_id}/predict"),
}


def test_each_route_that_names_something_is_tried_below() -> None:
    named = {
        (method, path)
        for (method, path), needed in ROUTES.items()
        if "{" in path and needed not in (ANYBODY, Scope.ADMIN)
    }
    tried = [(method, path.partition("?")[0]) for method, path in PRIVATE]
    patterns = {place: re.sub(r"\{\w+\}", "[^/]+", place[1]) for place in named}
    missing = {
        place
        for place, pattern in patterns.items()
        if not any(method == place[0] and re.fullmatch(pattern, path) for method, path in tried)
    }
    assert missing == OPEN


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_what_is_private_is_not_there_for_others(
    as_user: As, private: dict[str, str], method: str, path: str
) -> None:
    asked = json.dumps(BODIES.get("/" + path.rpartition("/")[2], {}))
    for name, id in private.items():
        path, asked = path.replace(f"{{{name}}}", id), asked.replace(f"{{{name}}}", id)
    body = {"json": json.loads(asked)} if method in ("POST", "PUT", "PATCH") else {}
    for who, statuses in (("bob", {404}), ("vic", {403, 404}), ("nobody", {401})):
        answer = as_user(who).request(method, path, headers=PART, **body)  # type: ignore[arg-type]
        assert answer.status_code in statuses, answer.text
        assert "secret" not in answer.text.lower()


LISTS = ["/datasets", "/training", "/results/models", "/results/batch", "/registry", "/projects", "/logs"]


@pytest.mark.parametrize("place", LISTS)
def test_no_list_shows_what_others_have(as_user: As, private: dict[str, str], place: str) -> None:
    told = as_user("bob").get(place)
    assert told.status_code == 200
    assert not any(id in told.text for name, id in private.items() if name != "own")
    assert "secret" not in told.text.lower()
    if place != "/logs":
        assert any(id in as_user("ada").get(place).text for id in private.values())
        assert any(id in as_user("root").get(place).text for id in private.values())


def test_what_one_asks_a_shared_model_about_stays_private(
    as_user: As, private: dict[str, str], staffed: Studio
) -> None:
    ada, bob = as_user("ada"), as_user("bob")
    dataset = as_user("root").put("/datasets/everyones.csv", content=ROWS.encode()).json()["id"]
    as_user("root").put(f"/datasets/{dataset}/project", json={"project": ""})
    job = ada.post("/training/start", json={"dataset_id": dataset, "target_column": "y"}).json()["job_id"]
    model = Model("model-open", job, "m", "dummy", Task.BINARY, "accuracy", 0.5, 1.0, Artifact("ab" * 32, 9))
    with staffed.client._db.write() as cursor:
        models.insert(cursor, model)
    batch = f"/results/model/{model.id}/batch"
    asked = ada.post(batch, json={"dataset_id": private["dataset"]}).json()["job_id"]
    sent = ada.post(batch, files={"file": ("rows.csv", ROWS.encode())}).json()["job_id"]
    for each in (asked, sent):
        assert ada.get(f"/results/batch/{each}").status_code == 200
        assert bob.get(f"/results/batch/{each}").status_code == 404
        assert bob.post(f"/training/{each}/cancel").status_code == 404
    together = ada.post(batch, json={"dataset_id": dataset}).json()["job_id"]
    assert bob.get(f"/results/batch/{together}").status_code == 200
    for each in (job, asked, sent, together):
        ada.post(f"/training/{each}/cancel")


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


def test_an_administrator_puts_things_into_the_private_place_of_a_user(
    as_user: As, ids: dict[str, str]
) -> None:
    ada, bob = as_user("ada"), as_user("bob")
    dataset = ada.put("/datasets/for-bob.csv", content=ROWS.encode()).json()["id"]
    place = f"/datasets/{dataset}/project"
    assert ada.put(place, json={"project": ids["bob"]}).status_code == 404
    assert as_user("root").put(place, json={"project": "user-nobody"}).status_code == 404
    assert as_user("root").put(place, json={"project": ids["bob"]}).status_code == 200
    assert (ada.get(f"/datasets/{dataset}").status_code, bob.get(f"/datasets/{dataset}").status_code) == (
        404,
        200,
    )
    assert bob.delete(f"/datasets/{dataset}").status_code == 204


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


def test_who_is_let_into_a_project_hears_of_it_and_who_is_let_out_no_more(
    as_user: As,
    private: dict[str, str],
    ids: dict[str, str],
    staffed_address: str,
    token_of: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flowml.ui.api.live.CHECK_S", 0.2)
    ada, bob = as_user("ada"), as_user("bob")
    project = ada.post("/projects", json={"name": "Left"}).json()["id"]
    member = f"/projects/{project}/members/{ids['bob']}"
    asked = {"dataset_id": private["dataset"], "target_column": "y"}
    job = ada.post("/training/start", json=asked).json()["job_id"]
    ada.put(f"/training/{job}/project", json={"project": project})
    seat = {"Authorization": f"Bearer {token_of('bob')}"}
    url = staffed_address.replace("http", "ws", 1) + "/ws"
    with connect(url, additional_headers=seat) as news:
        with pytest.raises(TimeoutError):
            news.recv(1.0)
        ada.put(member, json={"role": "editor"})
        time.sleep(2.0)  # many looks at who it is by now
        ada.post(f"/training/{job}/cancel")
        assert json.loads(news.recv(30))["event"] == "training_cancelled"
        with bob.stream("GET", "/logs/follow") as log:
            assert ada.delete(member).status_code < 300
            with pytest.raises(ConnectionClosed, match="may see less"):
                list(news)
            log.read()  # comes to an end
    ada.delete(f"/training/{job}")
    ada.delete(f"/projects/{project}")


def test_a_worker_is_busy_for_all_and_with_what_for_who_may_see_it(
    as_user: As, private: dict[str, str], staffed: Studio
) -> None:
    redis = staffed.client._redis
    machine = Capabilities("cpu", 1, 1, 1, None, 2**30, 2**30)
    at_work = Worker(
        "busy-one", ("cpu",), machine, time.time(), time.time(), state="busy", job_id=private["job"]
    )
    roster.announce(redis, at_work, ttl_s=60)
    try:
        for who, told in (("ada", private["job"]), ("bob", ""), ("root", private["job"])):
            found = [each for each in as_user(who).get("/workers").json() if each["name"] == "busy-one"]
            assert [(each["status"], each["job_id"]) for each in found] == [("busy", told)]
            assert as_user(who).get("/workers/busy-one").json()["job_id"] == told
            moments = as_user(who).get("/workers/busy-one/history").json()
            assert {each["job"] for each in moments} == {told}
    finally:
        roster.leave(redis, at_work.name)


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row.key)
def test_no_page_shows_what_others_have(
    staffed: Studio,
    private: dict[str, str],
    token_of: Callable[..., str],
    row: PageRow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though its address names what they have."""
    session.bind(staffed)
    shown = {}
    try:
        for who in ("ada", "bob"):
            reader = staffed.entrance.of_token(token_of(who))
            assert reader is not None
            monkeypatch.setattr(session, "person", lambda reader=reader: reader)
            app = AppTest.from_file(str(navigation.FOLDER / "main.py"), default_timeout=60)
            app.query_params.update({name: private[name] for name in ("dataset", "job", "model")})
            app.run()
            if not row.default:
                app.switch_page(navigation.file_of(row.key)).run()
            shown[who] = "\n".join(str(getattr(node, "proto", "")) for node in app._tree)
    finally:
        session.bind(None)
    assert "secret" not in shown["bob"]
    assert "secret" in shown["ada"] or row.key not in ("dashboard", "data", "train", "live", "results")
