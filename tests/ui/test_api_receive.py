"""Uploads on their way in: streamed, bounded, and gone when nobody took them."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from flowml.storage.errors import FlowMLError, InputError
from flowml.ui.api.multipart import FormReader
from flowml.ui.api.receive import receive_body, receive_form, spool, sweep
from flowml.ui.problems import problem

LIMIT = 3_000_000


def taken(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "uploads"


@pytest.fixture(scope="module")
def client(serve: Callable[[ASGIApp], str], folder: Path) -> Iterator[httpx.Client]:
    async def put(request: Request) -> Response:
        async with spool(folder, LIMIT) as file:
            await receive_body(request, file, LIMIT)
            return JSONResponse({"sha256": taken(file.path), "size": file.size})

    async def post(request: Request) -> Response:
        async with spool(folder, LIMIT) as file:
            form = await receive_form(request, file, LIMIT)
            told = {"sha256": taken(file.path), "file_name": form.file_name, "fields": form.fields}
            return JSONResponse(told)

    async def refuse(_: Request, error: Exception) -> Response:
        assert isinstance(error, FlowMLError)
        return problem(error)

    async def forget(_: Request, __: Exception) -> Response:
        return Response(status_code=400)

    app = Starlette(
        routes=[Route("/put", put, methods=["PUT"]), Route("/post", post, methods=["POST"])],
        exception_handlers={FlowMLError: refuse, ClientDisconnect: forget},
    )
    with httpx.Client(base_url=serve(app)) as client:
        yield client


@pytest.mark.parametrize("size", [0, 1, 2_500_000, LIMIT])
def test_a_body_arrives_whole_and_leaves_nothing(client: httpx.Client, folder: Path, size: int) -> None:
    content = bytes(index % 251 for index in range(1000)) * (size // 1000 + 1)
    answer = client.put("/put", content=content[:size])
    assert answer.json() == {"sha256": hashlib.sha256(content[:size]).hexdigest(), "size": size}
    assert list(folder.iterdir()) == []


def raw(client: httpx.Client) -> socket.socket:
    """A connection without a client's politeness."""
    address = urlsplit(str(client.base_url))
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=5)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("Content-Length: 100000000", b""),
        ("Transfer-Encoding: chunked", b"5f5e100\r\n" + bytes(LIMIT + 1)),
    ],
)
def test_a_body_over_the_limit_is_refused_before_its_end(
    client: httpx.Client, folder: Path, header: str, body: bytes
) -> None:
    with raw(client) as line:
        line.sendall(f"PUT /put HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode() + body)
        answer = HTTPResponse(line)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["code"]) == (413, "file_too_large")
    assert list(folder.iterdir()) == []


def test_the_refusal_reaches_a_client_that_sends_on(client: httpx.Client) -> None:
    assert client.put("/put", content=(bytes(1_000_000) for _ in range(20))).status_code == 413


@pytest.mark.parametrize("header", ["Content-Length: 2000000", "Transfer-Encoding: chunked"])
def test_a_connection_closed_midway_leaves_nothing(client: httpx.Client, folder: Path, header: str) -> None:
    with raw(client) as line:
        line.sendall(f"PUT /put HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
        line.sendall(b"f4240\r\n" + bytes(500_000) if "chunked" in header else bytes(1_100_000))
        deadline = time.monotonic() + 5
        while not list(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(list(folder.iterdir())) == 1
    while list(folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(folder.iterdir()) == []


def test_a_form_arrives_with_its_fields(client: httpx.Client) -> None:
    content = bytes(range(256)) * 9000
    answer = client.post("/post", files={"file": ("Grüße 1.csv", content)}, data={"name": "Größe"})
    assert answer.json() == {
        "sha256": hashlib.sha256(content).hexdigest(),
        "file_name": "Grüße 1.csv",
        "fields": {"name": "Größe"},
    }


FORM = {"Content-Type": "multipart/form-data; boundary=xx"}
PART = b'--xx\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
BROKEN = [
    ({"Content-Type": "application/json"}, b"{}", 422, "application/json"),
    ({"Content-Type": "multipart/form-data"}, b"", 422, "multipart/form-data"),
    (FORM, b"no form at all", 422, "broken"),
    (FORM, PART % (b"name", b"", b"x") + b"--xx--\r\n", 422, "no part 'file'"),
    (FORM, PART % (b"file", b"", b"x") + b"--xx--\r\n", 422, "no part 'file'"),
    (FORM, PART % (b"file", b'; filename="a"', b"x") * 2 + b"--xx--\r\n", 422, "two files"),
    (FORM, PART % (b"name", b"", b"x" * 70_000), 422, "too long"),
    (FORM, PART % (b"file", b'; filename="a"', b"x" * (LIMIT + 1)), 413, "3.0 MB"),
    (FORM, PART % (b"file", b'; filename="a"', b"1,2") + b"--x", 422, "ends early"),
]


@pytest.mark.parametrize(("headers", "body", "status", "word"), BROKEN)
def test_a_broken_form_is_explained(
    client: httpx.Client, folder: Path, headers: dict[str, str], body: bytes, status: int, word: str
) -> None:
    answer = client.post("/post", content=body, headers=headers)
    assert (answer.status_code, word in answer.json()["detail"]) == (status, True), answer.text
    assert list(folder.iterdir()) == []


def test_a_form_may_come_byte_by_byte() -> None:
    body = (
        PART % (b"name", b"", "Maß".encode())
        + PART % (b"file", b'; filename="a.csv"', b"--x\r\n--x")
        + b"--xx--"
    )
    reader = FormReader(FORM["Content-Type"], 100)
    pieces = [piece for index in range(len(body)) for piece in reader.feed(body[index : index + 1])]
    assert (b"".join(pieces), reader.file_name, reader.fields) == (b"--x\r\n--x", "a.csv", {"name": "Maß"})


def test_leftovers_are_swept(tmp_path: Path) -> None:
    (tmp_path / "0a.part").touch()
    (tmp_path / "kept.csv").touch()
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.csv"]
    sweep(tmp_path / "absent")


def test_a_form_without_a_type_is_refused() -> None:
    with pytest.raises(InputError, match="of no type"):
        FormReader("", 100)
