"""The login of an OpenID Connect provider, a small real one here: who comes in, what is not believed."""

from __future__ import annotations

import ast
import base64
import hashlib
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from packaging.requirements import Requirement
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage.errors import SettingError
from flowml.ui import login, oidc
from flowml.ui.api.application import build_api
from flowml.ui.door import COOKIE, Door

ROOT = Path(__file__).resolve().parents[3]
PATIENT_S = 60.0
Run = Callable[[ASGIApp], AbstractContextManager[str]]
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "k", "alg": "RS256", "use": "sig"}) for _ in range(2))
BASIC = "Basic " + base64.b64encode(b"studio:hush-hush").decode()


class Idp:
    """A provider whose reader is Ada; `lies` are claims that it gets wrong."""

    def __init__(self) -> None:
        self.lies: dict[str, Any] = {}
        self.key = KEY
        self.url = ""
        self._asked: dict[str, dict[str, str]] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/openid-configuration", self.about),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
            Route("/jwks", lambda _: JSONResponse({"keys": [KEY.as_dict(private=False)]})),
        ]

    async def about(self, _: Request) -> JSONResponse:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        return JSONResponse({"issuer": self.url, **{name: f"{self.url}/{at}" for name, at in places.items()}})

    async def authorize(self, request: Request) -> RedirectResponse:
        asked = dict(request.query_params)
        self._asked["the-code"] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?code=the-code&state={asked['state']}", 303)

    async def token(self, request: Request) -> JSONResponse:
        form = parse_qs((await request.body()).decode())
        asked = self._asked.pop(form["code"][0], {})
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked.get("code_challenge")
        if not proven or request.headers["authorization"] != BASIC:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": "studio", "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= {"sub": "1", "email": "ADA@example.com", "email_verified": True} | self.lies
        header = {"alg": "RS256", "kid": "k"}
        return JSONResponse({"access_token": "a", "id_token": jwt.encode(header, claims, self.key)})


@pytest.fixture(scope="module")
def served_idp(run: Run) -> Iterator[Idp]:
    idp = Idp()
    with run(Starlette(routes=idp.routes())) as url:
        idp.url = url
        yield idp


@pytest.fixture
def idp(served_idp: Idp) -> Iterator[Idp]:
    yield served_idp
    served_idp.lies, served_idp.key = {}, KEY


@pytest.fixture(scope="module")
def wanted(served_idp: Idp, staffed: Studio) -> Settings:
    set_up = {"oidc_url": served_idp.url, "oidc_client_id": "studio", "oidc_client_secret": "hush-hush"}
    return replace(staffed.settings, **set_up, oidc_name="the lab's login")


@pytest.fixture(scope="module")
def url(staffed: Studio, wanted: Settings, run: Run) -> Iterator[str]:
    """A studio that knows the provider."""
    before, staffed.settings = staffed.settings, wanted
    routes = [*login.routes(staffed), Mount("/api", build_api(staffed))]
    staffed.settings = before
    with run(Starlette(routes=routes, middleware=[Middleware(Door, entrance=staffed.entrance)])) as url:
        yield url


def come_in(browser: httpx.Client, url: str) -> httpx.Response:
    """The clicks of a reader, up to the answer of the studio."""
    leaves = browser.get(f"{url}/login/elsewhere?next=%2Fdata%3Fx%3D1")
    assert leaves.status_code == 303, leaves.text
    back = browser.get(leaves.headers["location"])
    return browser.get(back.headers["location"])


def test_who_has_a_user_here_comes_in_as_that_user(url: str) -> None:
    form = httpx.get(f"{url}/login?next=%2Fdata", timeout=PATIENT_S)
    assert 'href="/login/elsewhere?next=%2Fdata">Sign in with the lab&#x27;s login</a>' in form.text
    with httpx.Client(timeout=PATIENT_S) as browser:
        answer = come_in(browser, url)
        assert (answer.status_code, answer.headers["location"]) == (303, "/data?x=1")
        assert browser.get(f"{url}/api/me").json()["name"] == "ada"
        kept = [cookie.name for cookie in browser.cookies.jar]
        assert kept == [COOKIE]  # that of the attempt is gone


LIES = [
    {"email": "eve@example.com"},
    {"email_verified": False},
    {"email_verified": None},
    {"email": None},
    {"nonce": "another"},
    {"aud": "another"},
    {"aud": ["studio", "another"], "azp": "another"},
    {"iss": "https://another.example"},
    {"exp": 1},
]


@pytest.mark.parametrize("lies", LIES, ids=str)
def test_what_proves_nothing_lets_nobody_in(url: str, idp: Idp, lies: dict[str, Any]) -> None:
    idp.lies = lies
    with httpx.Client(timeout=PATIENT_S) as browser:
        answer = come_in(browser, url)
    assert (answer.status_code, COOKIE in browser.cookies) == (401, False)
    assert 'role="alert"' in answer.text


def test_what_another_has_signed_is_not_believed(url: str, idp: Idp) -> None:
    idp.key = OTHER_KEY
    with httpx.Client(timeout=PATIENT_S) as browser:
        assert come_in(browser, url).status_code == 401


def test_an_answer_belongs_to_the_browser_that_asked(url: str) -> None:
    with httpx.Client(timeout=PATIENT_S) as browser, httpx.Client(timeout=PATIENT_S) as another:
        back = browser.get(browser.get(f"{url}/login/elsewhere").headers["location"]).headers["location"]
        assert another.get(back).status_code == 401
        for change in ({"state": "guessed"}, {"code": "guessed"}, {"error": "access_denied"}, {"state": "é"}):
            asked = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()} | change
            if "error" in change:
                del asked["code"]
            assert browser.get(f"{url}/login/elsewhere").status_code == 303
            assert browser.get(f"{url}/login/elsewhere/back", params=asked).status_code == 401
        for cookie in ("", "x", "e30.x", "é.é"):
            headers = {"Cookie": f"flowml_attempt={cookie}".encode()}
            assert another.get(back, headers=headers).status_code == 401


def test_an_attempt_does_not_last(wanted: Settings) -> None:
    now = time.time()
    provider = oidc.Provider(wanted, lambda: now)
    place, cookie = provider.begin("http://127.0.0.1/back", "/")
    state = parse_qs(urlsplit(place).query)["state"][0]
    now += oidc.LASTS_S + 1
    with pytest.raises(Exception, match="too late"):
        provider.end(cookie, {"state": state, "code": "the-code"}, "http://127.0.0.1/back")


def test_a_provider_that_is_away_is_told_of_in_the_form(staffed: Studio, wanted: Settings, run: Run) -> None:
    before, staffed.settings = staffed.settings, replace(wanted, oidc_url="http://127.0.0.1:9")
    try:
        app = Starlette(routes=login.routes(staffed))
    finally:
        staffed.settings = before
    with run(app) as url:
        answer = httpx.get(f"{url}/login/elsewhere", timeout=PATIENT_S)
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)


def test_the_extra_brings_what_the_login_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    brought = {Requirement(each).name for each in project["optional-dependencies"]["oidc"]}
    always = {Requirement(each).name for each in project["dependencies"]}
    tree = ast.parse(Path(oidc.__file__).read_text())
    lines = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom | ast.Import)]
    names = {each.module or "" if isinstance(each, ast.ImportFrom) else each.names[0].name for each in lines}
    roots = {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"flowml"}
    assert {packages_distributions()[root][0] for root in roots} - always == brought


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"oidc_client_id": ""}, "FLOWML_OIDC_CLIENT_ID"),
        ({"oidc_url": ""}, "FLOWML_OIDC_URL"),
        ({"oidc_url": "http://login.example.com"}, "https://"),
        ({"oidc_url": "login.example.com"}, "https://"),
    ],
)
def test_what_is_set_wrongly_is_said_at_the_start(
    wanted: Settings, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingError, match=words):
        oidc.provider_of(replace(wanted, **changes))
    assert oidc.provider_of(Settings(home=wanted.home)) is None
