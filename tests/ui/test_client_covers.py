"""The Python client has a method for each route: all are called, and which routes they ask for is noted."""

from __future__ import annotations

import inspect
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage.errors import FlowMLError
from flowml.storage.records import SCOPES, UserRole
from flowml.ui import client
from flowml.ui.api.access import ROUTES
from flowml.ui.api.application import build_api

NOT_FOR_PROGRAMS = {
    ("GET", "/"),  # pages of the document
    ("GET", "/docs"),
    ("GET", "/docs/"),
    ("GET", "/docs/docs.js"),
    ("WS", "/ws"),  # the events of a job come by its own route
    ("GET", "/blobs/{sha256}"),  # of workers
    ("PUT", "/blobs/{sha256}"),
    ("DELETE", "/blobs/{sha256}"),
    ("POST", "/datasets/upload"),  # the same by PUT
}
# Asked for once something else has succeeded: see the tests of uploads in parts, batches and verifications.
LATER = {
    ("GET", "/uploads/{upload_id}"),
    ("POST", "/uploads/{upload_id}/finish"),
    ("GET", "/results/batch/{job_id}/download"),
    ("GET", "/results/job/{job_id}/verifications"),
}
VALUES: dict[str, Any] = {
    "row": {},
    "rows": {},
    "roles": {},
    "fix": {},
    "scopes": ["read"],
    "version": 1,
    "trial": 0,
}
FILES = ("source", "path", "file")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(Settings(home=tmp_path / "home", workers=0))
    studio.start()
    studio.client._local_workers = None  # jobs wait: no route starts a worker
    yield studio
    studio.stop()


@pytest.fixture
def token(studio: Studio) -> str:
    root = studio.people.add_user("root", UserRole.ADMIN, "correct horse battery")
    return studio.people.issue_token("test", tuple(SCOPES[UserRole.ADMIN]), user_id=root.id).secret


def noting(app: ASGIApp, seen: set[tuple[str, str]]) -> ASGIApp:
    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        seen.add((scope["method"], getattr(scope.get("route"), "path", "")))

    return noted


def arguments(method: Callable[..., Any], folder: Path, full: bool) -> dict[str, Any]:
    """For all that a method must be told; with `full` also for texts and flags that it may be told."""
    found: dict[str, Any] = {}
    for name, each in inspect.signature(method).parameters.items():
        must = each.default is inspect.Parameter.empty
        if each.kind is inspect.Parameter.VAR_KEYWORD or not (must or full):
            continue
        if must:
            found[name] = VALUES.get(name, folder / "out" if name == "to" else "nothing")
            if name in FILES:
                found[name] = folder / "t.csv"
            if full and "None" in str(each.annotation):
                found[name] = None
        elif each.default == "" or each.default is False:
            found[name] = "nothing" if each.default == "" else True
    return found


def test_every_route_is_asked_for_by_a_method(
    studio: Studio, token: str, run: Callable[[ASGIApp], AbstractContextManager[str]], tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(30)))
    ended = threading.Event()
    ended.set()  # so that answers without an end have one
    seen: set[tuple[str, str]] = set()
    app = Starlette(routes=[Mount("/api", noting(build_api(studio, ended), seen))])
    with run(app) as address, client.Studio(address, token) as asked:
        names = [name for name in dir(asked) if not name.startswith("_") and callable(getattr(asked, name))]
        for name, full in itertools.product(sorted(set(names) - {"close"}), (False, True)):
            method = getattr(asked, name)
            with suppress(FlowMLError, ValueError):
                found = method(**arguments(method, tmp_path, full))
                if inspect.isgenerator(found):
                    next(found, None)
    assert set(ROUTES) - seen - NOT_FOR_PROGRAMS == LATER
