"""Long lists in pieces, answers told once, requests done once, callers slowed down."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from flowml.runner.people import People
from flowml.storage.errors import TooMany
from flowml.storage.replies import Reply
from flowml.ui.api.limits import Limits

ROWS = "x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(30))


def put(api: httpx.Client, name: str, **headers: str) -> httpx.Response:
    return api.put(f"/datasets/{name}.csv", content=ROWS.encode(), headers=headers)


@pytest.fixture(scope="module")
def paged(api: httpx.Client) -> list[str]:
    """Ids of five datasets, newest first."""
    return [put(api, f"paged-{i}").json()["id"] for i in range(5)][::-1]


def test_a_list_comes_in_pieces_that_lead_to_one_another(api: httpx.Client, paged: list[str]) -> None:
    asked: str | None = "/datasets?name=PAGED&limit=2"
    found: list[str] = []
    while asked:
        answer = api.get(asked)
        assert answer.headers["x-total-count"] == "5"
        found += [each["id"] for each in answer.json()]
        link = re.search(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        asked = link[1].removeprefix("/api") if link else None
    assert found == paged
    back = api.get("/datasets?name=paged&limit=2&offset=3").headers["link"]
    assert back == '</api/datasets?name=paged&limit=2&offset=1>; rel="prev"'


@pytest.mark.parametrize("asked", ["limit=0", "limit=1001", "offset=-1", "limit=x", "offset=99999999999"])
@pytest.mark.parametrize("place", ["/datasets", "/training", "/registry", "/results/models"])
def test_pieces_have_their_bounds(api: httpx.Client, place: str, asked: str) -> None:
    assert api.get(f"{place}?{asked}").status_code == 422


def test_an_answer_that_one_has_is_not_told_again(api: httpx.Client, flowers: str) -> None:
    first = api.get(f"/datasets/{flowers}")
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}'):
        again = api.get(f"/datasets/{flowers}", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert api.get(f"/datasets/{flowers}", headers={"If-None-Match": "*"}).status_code == 304
    assert api.get("/datasets/nothing", headers={"If-None-Match": "*"}).status_code == 404
    other = api.get(f"/datasets/{flowers}", headers={"If-None-Match": '"x"'})
    assert (other.status_code, other.json()) == (200, first.json())
    assert "etag" not in api.get("/datasets/nothing").headers


def test_a_request_with_a_key_is_done_once(api: httpx.Client, flowers: str) -> None:
    asked: dict[str, Any] = {"dataset_id": flowers, "target_column": "species"}
    key = {"Idempotency-Key": "start-1"}
    first, again = (api.post("/training/start", json=asked, headers=key) for _ in range(2))
    assert (again.status_code, again.json()) == (202, first.json())
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    other = api.post("/training/start", json={**asked, "seed": 1}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert api.post("/training/start", json=asked).json()["job_id"] != first.json()["job_id"]


def test_a_request_is_done_once_when_the_first_ends_just_after_the_second_looked(
    api: httpx.Client, flowers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, key = {"dataset_id": flowers, "target_column": "species"}, {"Idempotency-Key": "start-3"}
    first = api.post("/training/start", json=asked, headers=key)
    looks, look = [True], People.reply

    def too_early(people: People, key: str) -> Reply | None:
        return None if looks and looks.pop() else look(people, key)

    monkeypatch.setattr(People, "reply", too_early)
    again = api.post("/training/start", json=asked, headers=key)
    assert (again.json(), again.headers.get("idempotency-replayed"), looks) == (first.json(), "true", [])


def test_a_request_that_failed_may_be_sent_again(api: httpx.Client, flowers: str) -> None:
    key = {"Idempotency-Key": "start-2"}
    assert api.post("/training/start", json={"dataset_id": flowers}, headers=key).status_code == 422
    asked = {"dataset_id": flowers, "target_column": "species"}
    assert api.post("/training/start", json=asked, headers=key).status_code == 202


def test_an_upload_with_a_key_is_kept_once(api: httpx.Client) -> None:
    first, again = (put(api, "kept", **{"Idempotency-Key": "upload-1"}) for _ in range(2))
    assert (first.status_code, again.json()["version"]) == (201, 1)
    assert put(api, "kept").json()["version"] == 2


def test_a_form_with_the_key_of_another_is_refused(api: httpx.Client) -> None:
    def sent(name: str) -> httpx.Response:
        files = {"file": ("form.csv", b"a,b\n1,2\n3,4\n")}
        key = {"Idempotency-Key": "form-1"}
        return api.post("/datasets/upload", data={"name": name}, files=files, headers=key)

    first, again, other = sent("form"), sent("form"), sent("other form")
    assert (first.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_a_key_that_is_none_is_refused(api: httpx.Client, key: str) -> None:
    answer = put(api, "once", **{"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (422, "input")


def test_who_asks_too_often_waits_and_others_do_not() -> None:
    now = [0.0]
    limits = Limits(10, lambda: now[0])
    for _ in range(20):
        limits.take("ada")
    with pytest.raises(TooMany) as refused:
        limits.take("ada")
    assert 0 < refused.value.wait_s <= 0.2
    limits.take("bob")
    now[0] += 0.2
    limits.take("ada")
    Limits(0).take("ada")
