"""The way into a served studio with users: the form, the cookie, what stays closed without it."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from flowml.runner.entrance import Entrance
from flowml.runner.people import People
from flowml.runner.settings import Settings
from flowml.storage.db import Database
from flowml.storage.records import UserRole
from flowml.ui.login import inner_path

Served = Callable[..., AbstractContextManager[tuple[Popen[str], str]]]
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, password: str) -> Path:
    home = tmp_path_factory.mktemp("locked")
    db = Database(home / "flowml.duckdb")
    people = People(db, Entrance(db, Settings(home=home)))
    people.add_user("root", UserRole.ADMIN, password)
    people.add_user("vic", UserRole.VIEWER, password)
    db.close()
    return home


@pytest.fixture(scope="module")
def url(home: Path, served: Served) -> Iterator[str]:
    with served(home) as (_, url):
        yield url


def sign_in(url: str, name: str, password: str, to: str = "/data", **headers: str) -> httpx.Response:
    form = {"name": name, "password": password, "next": to}
    return httpx.post(f"{url}/login", data=form, headers={"Origin": url} | headers)


@pytest.fixture(scope="module")
def reader(url: str, password: str) -> Iterator[httpx.Client]:
    """A browser in which vic is signed in."""
    answer = sign_in(url, "vic", password)
    with httpx.Client(base_url=url, cookies=answer.cookies) as client:
        yield client


def test_the_form_gives_a_cookie_and_leads_to_the_page_that_was_asked_for(url: str, password: str) -> None:
    asked = httpx.get(f"{url}/data?dataset=d%201", headers=PAGE)
    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=%2Fdata%3Fdataset%3Dd%25201")
    form = httpx.get(f"{url}{asked.headers['location']}", headers=PAGE)
    assert 'name="next" value="/data?dataset=d%201"' in form.text
    assert "script-src" not in form.headers["content-security-policy"]
    assert form.headers["content-security-policy"].startswith("default-src 'none'")
    assert form.headers["cache-control"] == "no-store"
    answer = sign_in(url, "vic", password)
    assert (answer.status_code, answer.headers["location"]) == (303, "/data")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_a_wrong_password_is_said_in_the_form_and_the_page_shows_what_was_typed_as_text(url: str) -> None:
    answer = sign_in(url, '"><script>x</script>', "wrong")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "The name or the password is wrong." in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_foreign_page_signs_nobody_in(url: str, password: str, headers: dict[str, str]) -> None:
    assert sign_in(url, "vic", password, **headers).status_code == 403


def test_a_program_without_an_origin_sends_json_or_a_token_not_this_form(url: str, password: str) -> None:
    form = {"name": "vic", "password": password}
    assert httpx.post(f"{url}/login", data=form).status_code == 403


INNER = [
    ("/data?x=1#y", "/data?x=1#y"),
    ("", "/"),
    ("//evil.example", "/"),
    ("/\\evil.example", "/"),
    ("https://evil.example/", "/"),
    ("javascript:alert(1)", "/"),
    ("/a\r\nSet-Cookie: x", "/"),
]


@pytest.mark.parametrize(("asked", "goes"), INNER)
def test_the_form_leads_only_into_the_studio(asked: str, goes: str) -> None:
    assert inner_path(asked) == goes


CLOSED = ["/api/datasets", "/api/openapi.json", "/api/docs/", "/api/docs/swagger/swagger-ui.css", "/media/x"]
CLOSED += ["/_stcore/host-config", "/_stcore/upload_file/x/y", "/static/js/x.js", "/component/x", "/%2e%2e/x"]


@pytest.mark.parametrize("path", CLOSED)
def test_all_else_is_closed(url: str, path: str) -> None:
    answer = httpx.get(url + path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("path", ["/", "/data", "/settings", "/static/x", "/login/../data", "/LOGIN"])
def test_pages_lead_to_the_form(url: str, path: str) -> None:
    answer = httpx.get(url + path, headers=PAGE)
    assert (answer.status_code, answer.headers["location"][:12]) == (303, "/login?next=")


def test_what_a_load_balancer_asks_is_open_and_tells_no_more(url: str) -> None:
    assert httpx.get(f"{url}/health").json() == {"status": "ok"}
    assert httpx.get(f"{url}/api/health").json()["version"] == ""


def test_the_pages_live_connection_needs_the_cookie(url: str, reader: httpx.Client) -> None:
    socket = url.replace("http", "ws", 1) + "/_stcore/stream"
    with pytest.raises(InvalidStatus, match="403"):
        connect(socket, origin=Origin(url))
    cookie = "; ".join(f"{name}={value}" for name, value in reader.cookies.items())
    with connect(socket, origin=Origin(url), additional_headers={"Cookie": cookie}):
        pass


def test_a_browser_and_the_api_share_the_session(reader: httpx.Client, url: str) -> None:
    assert reader.get("/api/me").json()["name"] == "vic"
    assert reader.get("/data").status_code == 200
    ends = reader.delete("/api/me/sessions", headers={"Origin": url})
    assert ends.status_code == 204
    assert reader.get("/api/me").status_code == 401


def test_the_note_in_the_data_folder_lets_its_owner_in(home: Path, url: str) -> None:
    note = home / "studio.json"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    told = json.loads(note.read_text())
    assert told["address"] == url
    headers = {"Authorization": f"Bearer {told['key']}"}
    assert httpx.get(f"{url}/api/users", headers=headers).status_code == 200


def test_without_logins_the_form_leads_on(tmp_path: Path, served: Served) -> None:
    with served(tmp_path) as (_, url):
        assert httpx.get(f"{url}/login", headers=PAGE).headers["location"] == "/"
        assert httpx.get(f"{url}/api/me").json()["role"] == "admin"
    assert not (tmp_path / "studio.json").exists()


def test_no_log_holds_a_password_or_a_key(home: Path, url: str, password: str) -> None:
    httpx.get(f"{url}/health")
    words = "".join(path.read_text(errors="replace") for path in (home / "logs").glob("*.log"))
    assert password not in words
    assert not re.search(r"flowml_\w{20}", words)
