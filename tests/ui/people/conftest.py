"""A studio with a user of each kind, without workers, and its API as each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest
from starlette.types import ASGIApp

from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage.records import SCOPES, Scope, UserRole
from flowml.ui.api.application import build_api

PASSWORD = "correct horse battery"
USERS = {"root": UserRole.ADMIN, "ada": UserRole.EDITOR, "bob": UserRole.EDITOR, "vic": UserRole.VIEWER}
NOBODY = "nobody"


@pytest.fixture(scope="session")
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="session")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("staffed")
    settings = Settings(home=home, workers=0, upload_limit=2_000_000, rate_limit=0)
    studio = Studio(settings)
    studio.start()
    studio.client._local_workers = None  # jobs wait: no route starts a worker
    for name, role in USERS.items():
        studio.people.add_user(name, role, PASSWORD, f"{name}@example.com")
    yield studio
    studio.stop()


@pytest.fixture(scope="session")
def ids(staffed: Studio) -> dict[str, str]:
    """Of users by name."""
    return {name: id for id, name in staffed.people.names().items()}


@pytest.fixture(scope="session")
def token_of(staffed: Studio, ids: dict[str, str]) -> Callable[..., str]:
    """A token of a user, with these scopes or all that its role has; with more, of when it had another."""

    def issue(name: str, *scopes: Scope) -> str:
        chosen = scopes or tuple(SCOPES[USERS[name]])
        lowered = not SCOPES[USERS[name]].issuperset(chosen)
        if lowered:
            staffed.people.change_user(ids[name], role=UserRole.ADMIN)
        secret = staffed.people.issue_token("test", chosen, user_id=ids[name]).secret
        if lowered:
            staffed.people.change_user(ids[name], role=USERS[name])
        return secret

    return issue


@pytest.fixture(scope="session")
def staffed_address(staffed: Studio, run: Callable[[ASGIApp], AbstractContextManager[str]]) -> Iterator[str]:
    """Where the API of that studio answers, at the root."""
    with run(build_api(staffed, threading.Event())) as address:
        yield address


@pytest.fixture(scope="session")
def as_user(staffed_address: str, token_of: Callable[..., str]) -> Iterator[Callable[[str], httpx.Client]]:
    """The API as a user asks it, or as nobody."""
    clients: dict[str, httpx.Client] = {}

    def client(name: str) -> httpx.Client:
        if name not in clients:
            headers = {} if name == NOBODY else {"Authorization": f"Bearer {token_of(name)}"}
            clients[name] = httpx.Client(base_url=staffed_address, headers=headers, timeout=100)
        return clients[name]

    yield client
    for each in clients.values():
        each.close()
