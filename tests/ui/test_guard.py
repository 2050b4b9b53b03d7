"""What the guard lets through, what it refuses, and the headers it sends."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from flowml.ui.guard import Guard, Hosts, page_policy, streamlit_html

OURS = "http://127.0.0.1:8501"  # the Host that each request names, unless it says otherwise


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.method)


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


async def stumble(_: Request) -> PlainTextResponse:
    raise RuntimeError("a secret of ours")


@pytest.fixture(scope="module")
def local(serve: Callable[[ASGIApp], str]) -> Iterator[httpx.Client]:
    routes = [
        Route("/stumble", stumble),
        Route("/{path:path}", echo, methods=["GET", "POST", "PUT", "DELETE"]),
        WebSocketRoute("/socket", greet),
    ]
    guard = Middleware(Guard, hosts=Hosts.of("127.0.0.1"), policy="default-src 'self'")
    with httpx.Client(base_url=serve(Starlette(routes=routes, middleware=[guard]))) as client:
        yield client


PASSES = [
    ("GET", {}),
    (
        "GET",
        {"Origin": "http://evil.example"},
    ),  # safe: no foreign page can read the answer
    ("GET", {"Host": "localhost:8501"}),
    ("GET", {"Host": "[::1]:8501"}),
    ("POST", {"Content-Type": "application/json"}),
    ("POST", {"Content-Type": "multipart/form-data; boundary=x"}),
    ("POST", {"Origin": OURS, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}),
    ("POST", {"Host": "localhost:8501", "Origin": "http://localhost:8501"}),
    ("POST", {"Content-Type": "text/plain", "X-FlowML": "1"}),
    ("PUT", {"Content-Type": "application/octet-stream"}),
    ("DELETE", {}),
]

REFUSED = [
    ("GET", {"Host": "evil.example"}, "host 'evil.example'"),
    ("GET", {"Host": "127.0.0.1.evil.example:8501"}, "host"),
    ("GET", {"Host": "10.0.0.7:8501"}, "host"),
    ("GET", {"Host": ""}, "host"),
    ("GET", {"Host": "[::1"}, "host"),
    ("POST", {"Origin": "http://evil.example", "Content-Type": "application/json"}, "evil.example"),
    ("POST", {"Origin": "http://127.0.0.1:9999"}, "127.0.0.1:9999"),
    ("POST", {"Origin": "null"}, "null"),
    ("DELETE", {"Origin": "http://evil.example", "X-FlowML": "1"}, "evil.example"),
    ("PUT", {"Sec-Fetch-Site": "cross-site"}, "another site"),
    ("POST", {"Sec-Fetch-Site": "same-site"}, "another site"),
    ("POST", {"Content-Type": "text/plain"}, "X-FlowML"),
    ("POST", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, "X-FlowML"),
]


@pytest.mark.parametrize(("method", "headers"), PASSES)
def test_passes(local: httpx.Client, method: str, headers: dict[str, str]) -> None:
    answer = local.request(method, "/api/datasets", headers={"Host": "127.0.0.1:8501"} | headers)
    assert (answer.status_code, answer.text) == (200, method)


@pytest.mark.parametrize(("method", "headers", "word"), REFUSED)
def test_refuses(local: httpx.Client, method: str, headers: dict[str, str], word: str) -> None:
    answer = local.request(method, "/api/datasets", headers={"Host": "127.0.0.1:8501"} | headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["datasets/..%2F..%2Fusers", "a%5C..%5Cb", "..", "docs/%00"])
def test_paths_that_lead_out_of_the_api_get_a_problem(local: httpx.Client, path: str) -> None:
    answer = local.get(f"/api/{path.replace('..', '%2e%2e')}", headers={"Host": "127.0.0.1:8501"})
    assert (answer.status_code, answer.json()["code"]) == (404, "no_route")
    assert answer.headers["content-type"] == "application/problem+json"
    assert local.get("/api/datasets/a..b", headers={"Host": "127.0.0.1:8501"}).text == "GET"


def test_sockets_of_our_pages_open_and_others_do_not(local: httpx.Client) -> None:
    url = str(local.base_url.copy_with(scheme="ws", path="/socket"))
    with connect(url, origin=Origin(str(local.base_url))) as socket:
        assert socket.recv() == "hello"
    with pytest.raises(InvalidStatus, match="403"):
        connect(url, origin=Origin("http://evil.example"))


def test_every_answer_has_the_headers(local: httpx.Client) -> None:
    headers = local.get("/").headers
    assert headers["content-security-policy"] == "default-src 'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_a_fault_of_ours_is_told_without_its_trace_and_with_the_headers(local: httpx.Client) -> None:
    answer = local.get("/stumble")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["content-security-policy"] == "default-src 'self'"
    assert "secret" not in answer.text


def test_the_api_and_its_docs_have_policies_of_their_own(local: httpx.Client) -> None:
    assert "default-src 'none'" in local.get("/api/datasets").headers["content-security-policy"]
    report = local.get("/api/models/one/report").headers["content-security-policy"]
    assert "style-src 'unsafe-inline'" in report
    assert "script-src" not in report
    assert "sandbox" in report
    docs = local.get("/api/docs/").headers["content-security-policy"]
    assert "script-src 'self';" in docs
    assert "http" not in docs


@pytest.mark.parametrize(
    ("address", "name", "known"),
    [
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "192.168.0.5", False),
        ("192.168.0.5", "192.168.0.5", True),
        ("192.168.0.5", "192.168.0.6", False),
        ("0.0.0.0", "192.168.0.6", True),
        ("::", "fd00::6", True),
        ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", "studio.lab", True),
    ],
)
def test_names_of_a_studio(address: str, name: str, known: bool) -> None:
    assert (name in Hosts.of(address, ["Studio.Lab"])) is known


def test_the_policy_of_pages_names_the_inline_script_of_streamlit() -> None:
    html = streamlit_html()
    policy = page_policy(html)
    script = html.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}' blob:;" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert "frame-ancestors 'self'" in policy
