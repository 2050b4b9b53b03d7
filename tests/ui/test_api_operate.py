"""Health, counts, workers and logs over REST; the document of the API; answers to what is not there."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from flowml.storage.errors import FlowMLError
from flowml.ui.problems import problem


def test_health_is_told_at_both_places(api: httpx.Client, api_address: str) -> None:
    told = api.get("/health").json()
    assert (told["status"], told["database"]["ok"], told["redis"]["ok"]) == ("ok", True, True)
    assert (told["workers_online"], bool(told["advice"])) == (0, True)
    assert httpx.get(f"{api_address}/health").json().keys() == told.keys()


@pytest.mark.usefixtures("flowers")
def test_counts_cluster_workers_and_logs(api: httpx.Client) -> None:
    counts = api.get("/stats").json()
    assert counts["datasets"] >= 1
    assert (counts["workers_online"], counts["models"] >= 0) == (0, True)
    cluster = api.get("/cluster").json()
    assert (cluster["online"], cluster["gpus"]) == (0, [])
    assert "cpu" in cluster["queues"]
    assert api.get("/workers").json() == []
    assert isinstance(api.get("/logs", params={"level": "warning", "limit": 5}).json(), list)
    assert api.get("/logs", params={"level": "loud"}).json()["code"] == "request"


@pytest.fixture(scope="module")
def document(api: httpx.Client) -> dict[str, Any]:
    return dict(api.get("/openapi.json").json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, way, told) for path, ways in document["paths"].items() for way, told in ways.items()]


def test_every_route_is_described(document: dict[str, Any]) -> None:
    routes = operations(document)
    assert len(routes) >= 20
    assert [
        (path, way) for path, way, told in routes if not told.get("description") or not told["tags"]
    ] == []


def test_every_error_is_a_problem_document(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert {"Problem", "Fault"} <= document["components"]["schemas"].keys()
    kinds = {
        tuple(answer["content"])
        for _, _, told in operations(document)
        for status, answer in told["responses"].items()
        if status >= "400"
    }
    assert kinds == {("application/problem+json",)}


def test_every_field_that_is_asked_is_described(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["TrainingAsked"]["properties"]
    bare = {name for name, field in fields.items() if not {"description", "examples"} & field.keys()}
    assert bare == {"seed"}


def test_the_form_of_an_upload_is_in_the_document(document: dict[str, Any]) -> None:
    body = document["paths"]["/datasets/upload"]["post"]["requestBody"]["content"]
    assert body["multipart/form-data"]["schema"]["required"] == ["file"]


@pytest.mark.parametrize("path", ["/nothing", "/datasets/a/b/c", "/training/a/b", "/%2e%2e/etc/passwd"])
def test_unknown_routes_are_answered_in_json(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_route")


def test_a_wrong_method_is_told_with_the_right_ones(api: httpx.Client) -> None:
    answer = api.delete("/health")
    assert (answer.status_code, answer.json()["code"]) == (405, "no_method")
    assert answer.headers["allow"] == "GET"


def test_docs_need_no_other_host(api: httpx.Client, api_address: str) -> None:
    assert httpx.get(f"{api_address}/api").next_request is not None
    page = api.get("/docs", follow_redirects=True)
    assert str(page.url).endswith("/api/docs/")
    assert "http" not in page.text
    assert "<script>" not in page.text
    for asset in ("docs.js", "swagger/swagger-ui.css", "swagger/swagger-ui-bundle.js"):
        assert api.get(f"/docs/{asset}").status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_plotly_is_served_by_ourselves(api_address: str, encoding: str) -> None:
    answer = httpx.get(f"{api_address}/flowml/plotly.min.js", headers={"Accept-Encoding": encoding})
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert "max-age" in answer.headers["cache-control"]
    assert b"plotly.js" in answer.content[:200]


def kinds(root: type[FlowMLError]) -> list[type[FlowMLError]]:
    return [root, *(kind for branch in root.__subclasses__() for kind in kinds(branch))]


@pytest.mark.parametrize("kind", kinds(FlowMLError))
def test_every_error_of_the_tree_has_its_answer(kind: type[FlowMLError]) -> None:
    answer = problem(kind("It broke.", "Mend it."))
    assert answer.status_code == kind.status
    assert f'"code":"{kind.code}"'.encode() in answer.body
