"""Paths that lead out of the studio and ids that are guessed: hundreds of requests, each of them refused."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import httpx
import pytest

from flowml.ui.api.access import ROUTES

As = Callable[[str], httpx.Client]

PARTS = [
    "..",
    "%2e%2e",
    "%252e%252e",
    "..%2f",
    "..%5c",
    ".%00.",
    "%c0%ae%c0%ae",
    "....//",
    "..;",
    "%2fetc%2f..",
]
GOALS = ["etc/passwd", "flowml.duckdb", "studio.json"]
PLACES = [
    "/datasets/{}",
    "/datasets/{}/download",
    "/training/{}",
    "/results/model/{}/download",
    "/results/batch/{}/download",
    "/registry/{}",
    "/workers/{}",
    "/uploads/{}",
    "/blobs/{}",
    "/docs/{}",
]
PATHS = [place.format(f"{part}/{goal}") for place, part, goal in itertools.product(PLACES, PARTS, GOALS)]

IDS = [
    "0",
    "-1",
    "*",
    "%",
    "null",
    "job-1",
    "dataset-" + "0" * 20,
    "' OR '1'='1",
    "a" * 5000,
    "\x00",
    "\u202e",
]
IDS += ["file:///etc/passwd"]
NAMED = sorted(
    place
    for place in ROUTES
    if "{" in place[1] and "{name}" not in place[1] and not place[1].startswith("/blobs")
)
REFUSED = {401, 403, 404, 405, 409, 422}


def test_paths_lead_nowhere(as_user: As) -> None:
    answers = {path: as_user("ada").get(path).status_code for path in PATHS}
    assert {path: status for path, status in answers.items() if status not in REFUSED} == {}
    assert len(answers) == 300


def test_paths_are_not_shortened_before_they_are_looked_at(staffed_address: str) -> None:
    """What no client of the web would send: dots and bytes as they are."""
    place = urlsplit(staffed_address)
    for path in (
        "/../../etc/passwd",
        "//etc/passwd",
        "/datasets/../../etc/passwd",
        "/docs/../../etc/passwd",
        "/\\..\\x",
    ):
        with socket.create_connection((place.hostname, place.port or 80), timeout=20) as line:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda line=line: line.recv(65536), b""))
        assert int(answer.split()[1]) in REFUSED
        assert b"root:" not in answer


@pytest.mark.parametrize("id", IDS, ids=range(len(IDS)))
def test_ids_are_not_guessed(as_user: As, id: str) -> None:
    """On each route that names something; of what is asked, an administrator would be told most."""
    root = as_user("root")
    for method, route in NAMED:
        path = "/".join(quote(id, safe="") if "{" in part else part for part in route.split("/"))
        body = (
            {"json": {"role": "viewer", "sql": "SELECT 1", "data": {}}}
            if method in ("POST", "PUT", "PATCH")
            else {}
        )
        answer = root.request(method, path, **body)  # type: ignore[arg-type]
        assert answer.status_code in REFUSED, (method, route, answer.text)
        assert set(json.loads(answer.text)) >= {"code", "detail", "advice"}
