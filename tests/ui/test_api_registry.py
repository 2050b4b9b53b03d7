"""Models under a name: versions, aliases, and what they stand for."""

from __future__ import annotations

import dataclasses
import time

import httpx
import pytest

from flowml.runner.studio import Studio
from flowml.storage import jobs, models
from flowml.storage.ids import new_id
from flowml.storage.records import Artifact, JobState, Model, Task


@pytest.fixture
def made(api: httpx.Client, studio: Studio, flowers: str) -> list[str]:
    """Ids of two models of one ended job."""
    asked = {"dataset_id": flowers, "target_column": "species"}
    job = api.post("/training/start", json=asked).json()["job_id"]
    found = []
    with studio.client._db.write() as cursor:
        for name in "ab":
            model = Model(
                new_id("model"), job, name, "dummy", Task.BINARY, "accuracy", 0.5, time.time(),
                Artifact("cd" * 32, 5),
            )  # fmt: skip
            models.insert(cursor, model)
            found.append(model.id)
        jobs.update(cursor, job, state=JobState.FINISHED)
    return found


def test_a_name_has_versions_and_an_alias_points_to_one(api: httpx.Client, made: list[str]) -> None:
    one = api.post("/registry/churn", json={"model_id": made[0], "alias": "production", "note": " first "})
    assert one.status_code == 201
    assert (one.json()["version"], one.json()["aliases"], one.json()["note"]) == (1, ["production"], "first")
    api.post("/registry/churn", json={"model_id": made[1]})
    (listed,) = [each for each in api.get("/registry").json() if each["name"] == "churn"]
    assert (listed["versions"], listed["latest"]["version"], listed["aliases"]) == (2, 2, {"production": 1})
    assert [each["version"] for each in api.get("/registry/churn").json()] == [2, 1]
    for ref, id in (("churn@production", made[0]), ("churn:2", made[1]), (made[1], made[1])):
        assert api.get(f"/results/model/{ref}").json()["id"] == id
    promoted = api.put("/registry/churn/aliases/production", json={"version": 2})
    assert promoted.json()["aliases"] == ["production"]
    assert api.get("/registry/churn/aliases/production").json()["model_id"] == made[1]
    assert api.get("/registry/churn/versions/1").json()["aliases"] == []
    assert api.delete("/registry/churn/versions/2").json()["code"] == "conflict"
    assert api.delete("/registry/churn/aliases/production").status_code == 204
    for version in (2, 1):
        assert api.delete(f"/registry/churn/versions/{version}").status_code == 204
    assert api.get("/registry/churn").status_code == 404


def test_an_alias_moves_to_what_is_asked_otherwise_only_on_request(
    api: httpx.Client, studio: Studio, made: list[str]
) -> None:
    with studio.client._db.write() as cursor:
        plain = models.get(cursor, made[0])
        columns = [{"name": "age", "kind": "number"}, {"name": "plan", "kind": "string"}]
        contract = {"columns": columns, "classes": ["no", "yes"]}
        old = dataclasses.replace(plain, id=new_id("model"), contract=contract)
        fewer = dataclasses.replace(old, id=new_id("model"), contract=contract | {"columns": columns[:1]})
        retyped = [{"name": "age", "kind": "text"}, *columns[1:], {"name": "region", "kind": "string"}]
        other = dataclasses.replace(old, id=new_id("model"), contract=contract | {"columns": retyped})
        amount = dataclasses.replace(old, id=new_id("model"), task=Task.REGRESSION)
        words = dataclasses.replace(old, id=new_id("model"), contract=contract | {"classes": ["0", "1"]})
        for each in (old, fewer, other, amount, words):
            models.insert(cursor, each)
    for each in (old, fewer):  # what needs no further column may follow
        assert api.post("/registry/moved", json={"model_id": each.id, "alias": "live"}).status_code == 201
    api.put("/registry/moved/aliases/live", json={"version": 1, "anyway": True})
    told: list[tuple[Model, str]] = [
        (amount, "is for regression, not binary"),
        (other, "expects region besides; age is number for one and text"),
        (words, "answers 0, 1"),
    ]
    for each, text in told:
        refused = api.post("/registry/moved", json={"model_id": each.id, "alias": "live"})
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert text in refused.json()["detail"]
    assert len(api.get("/registry/moved").json()) == 2
    api.post("/registry/moved", json={"model_id": other.id})
    assert api.put("/registry/moved/aliases/live", json={"version": 3}).status_code == 409
    assert api.get("/registry/moved/aliases/live").json()["version"] == 1
    moved = api.put("/registry/moved/aliases/live", json={"version": 3, "anyway": True})
    assert moved.json()["aliases"] == ["live"]


def test_a_registered_model_is_not_deleted_with_its_job(api: httpx.Client, made: list[str]) -> None:
    job = api.get(f"/results/model/{made[0]}").json()["job_id"]
    api.post("/registry/kept", json={"model_id": made[0]})
    answer = api.delete(f"/training/{job}")
    assert (answer.status_code, "kept:1" in answer.json()["detail"]) == (409, True)
    api.delete("/registry/kept/versions/1")
    assert api.delete(f"/training/{job}").status_code == 204


def test_a_model_has_the_script_of_the_row_that_it_is(
    api: httpx.Client, studio: Studio, made: list[str]
) -> None:
    with studio.client._db.write() as cursor:
        one = dataclasses.replace(models.get(cursor, made[0]), id=new_id("model"), trial=3)
        models.insert(cursor, one)
    several = api.get(f"/results/model/{made[0]}/download", params={"format": "script"})
    assert (several.status_code, "which have a script each" in several.json()["detail"]) == (422, True)
    gone = api.get(f"/results/model/{one.id}/download", params={"format": "script"})
    assert (gone.status_code, "has no trial 3" in gone.json()["detail"]) == (404, True)


@pytest.mark.parametrize("name", ["a b", "a@b", "a:1", ".x", "x" * 65, "ä"])
def test_a_name_that_could_be_misread_is_refused(api: httpx.Client, made: list[str], name: str) -> None:
    assert api.post(f"/registry/{name}", json={"model_id": made[0]}).status_code == 422
    answer = api.post("/registry/fine", json={"model_id": made[0], "alias": name})
    assert answer.status_code == 422


@pytest.mark.parametrize("ref", ["churn@nothing", "nothing:1", "churn:99", "nothing", "@", ":", "a@b@c"])
def test_what_is_not_registered_is_not_found(api: httpx.Client, ref: str) -> None:
    assert api.get(f"/results/model/{ref}").status_code == 404
