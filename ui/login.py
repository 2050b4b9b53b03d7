"""The way in: a form of our own before any page of Streamlit, without a script, and the cookie it gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, quote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from flowml.runner.studio import Studio
from flowml.storage.errors import FlowMLError, InputError, TooMany
from flowml.ui.door import COOKIE, LOGIN, address_of
from flowml.ui.oidc import LASTS_S, Provider, provider_of

STATIC = Path(__file__).resolve().parent / "static"
FIRST = f"{LOGIN}/first"
ELSEWHERE = f"{LOGIN}/elsewhere"
BACK = f"{ELSEWHERE}/back"
ATTEMPT = "flowml_attempt"  # the cookie of a login elsewhere while it lasts
MOST_BYTES = 10_000
PAGE = (STATIC / "login.html").read_text("utf-8")
FILES = {
    "/flowml/login.css": STATIC / "login.css",
    "/flowml/logo.svg": STATIC / "logo.svg",
    "/flowml/icon.png": STATIC / "icon.png",
}


def routes(studio: Studio) -> list[BaseRoute]:
    """The forms, what they are sent to, and what they look like. Raises SettingError for a wrong provider."""
    provider = provider_of(studio.settings)

    async def show(request: Request) -> Response:
        entrance = studio.entrance
        if not entrance.needed:
            return RedirectResponse("/", 303)
        if not entrance.anybody:
            return RedirectResponse(FIRST, 303)
        return page(_sign_in_form(inner_path(request.query_params.get("next", "")), provider))

    async def sign_in(request: Request) -> Response:
        fields = await fields_of(request)
        name, target = fields.get("name", ""), inner_path(fields.get("next", ""))
        try:
            secret = await to_thread.run_sync(
                studio.entrance.sign_in, name, fields.get("password", ""), address_of(request.scope)
            )
        except FlowMLError as error:
            return page(_sign_in_form(target, provider, name, error), error)
        return entered(request, studio, secret, target)

    async def show_first(_: Request) -> Response:
        entrance = studio.entrance
        if entrance.awaits_first or (entrance.needed and not entrance.anybody):
            return page(_first_form())
        return RedirectResponse(LOGIN, 303)

    async def add_first(request: Request) -> Response:
        fields = await fields_of(request)
        code, name, password = (fields.get(key, "") for key in ("code", "name", "password"))
        try:
            if password != fields.get("again", ""):
                raise InputError("The two passwords differ.", "Type them again.")
            secret = await to_thread.run_sync(
                studio.entrance.add_first, code, name, password, address_of(request.scope)
            )
        except FlowMLError as error:
            return page(_first_form(code, name, error), error)
        return entered(request, studio, secret, "/")

    return [
        Route(LOGIN, show, methods=["GET"]),
        Route(LOGIN, sign_in, methods=["POST"]),
        Route(FIRST, show_first, methods=["GET"]),
        Route(FIRST, add_first, methods=["POST"]),
        *([] if provider is None else elsewhere(studio, provider)),
        *(Route(path, _file(file)) for path, file in FILES.items()),
    ]


def elsewhere(studio: Studio, provider: Provider) -> list[BaseRoute]:
    """To the provider and back."""

    async def leave(request: Request) -> Response:
        target = inner_path(request.query_params.get("next", ""))
        try:
            place, cookie = await to_thread.run_sync(provider.begin, _back_of(request), target)
        except FlowMLError as error:
            return page(_sign_in_form(target, provider, error=error), error)
        answer = RedirectResponse(place, 303)
        answer.set_cookie(
            ATTEMPT,
            cookie,
            max_age=int(LASTS_S),
            path=ELSEWHERE,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    async def come_back(request: Request) -> Response:
        asked, cookie = dict(request.query_params), request.cookies.get(ATTEMPT, "")
        try:
            email, target = await to_thread.run_sync(provider.end, cookie, asked, _back_of(request))
            secret = await to_thread.run_sync(studio.entrance.enter, email, address_of(request.scope))
        except FlowMLError as error:
            answer: Response = page(_sign_in_form("/", provider, error=error), error)
        else:
            answer = entered(request, studio, secret, target)
        answer.delete_cookie(ATTEMPT, path=ELSEWHERE)
        return answer

    return [Route(ELSEWHERE, leave, methods=["GET"]), Route(BACK, come_back, methods=["GET"])]


def _back_of(request: Request) -> str:
    """Where a provider sends its readers back to; it must be listed there."""
    return str(request.url.replace(path=BACK, query=""))


def entered(request: Request, studio: Studio, secret: str, target: str) -> Response:
    """On to the page that was asked for, with the cookie of the session."""
    answer = RedirectResponse(target, 303)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(studio.settings.session_length),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


def inner_path(text: str) -> str:
    """A place in this studio to go to; the start for anything else."""
    inside = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if inside and text.isprintable() else "/"


async def fields_of(request: Request) -> Mapping[str, str]:
    """The fields of a small form. Others are read as empty."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return {}
    found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    return {name: values[0] for name, values in found.items()}


def page(form: str, error: FlowMLError | None = None) -> HTMLResponse:
    status = 200 if error is None else error.status
    answer = HTMLResponse(PAGE.replace("{form}", form), status, headers={"Cache-Control": "no-store"})
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(max(1, round(error.wait_s)))
    return answer


def _sign_in_form(
    target: str, provider: Provider | None, name: str = "", error: FlowMLError | None = None
) -> str:
    focus = ("", " autofocus") if name else (" autofocus", "")
    return f"""<form method="post" action="{LOGIN}">
      <h1>Sign in</h1>
      {_alert(error)}
      <input type="hidden" name="next" value="{escape(target)}" />
      <label>Name <input name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none"
        spellcheck="false" required{focus[0]} /></label>
      <label>Password <input name="password" type="password" autocomplete="current-password"
        required{focus[1]} /></label>
      <button>Sign in</button>{_other_way(target, provider)}
      <p class="hint">No login yet? An administrator of this studio makes one.</p>
    </form>"""


def _other_way(target: str, provider: Provider | None) -> str:
    if provider is None:
        return ""
    place = f"{ELSEWHERE}?next={quote(target, safe='')}"
    return f'''
      <a class="other" href="{place}">Sign in with {escape(provider.name)}</a>'''


def _first_form(code: str = "", name: str = "", error: FlowMLError | None = None) -> str:
    return f"""<form method="post" action="{FIRST}">
      <h1>The first administrator</h1>
      <p>This studio has no user yet. Its terminal shows a code.</p>
      {_alert(error)}
      <label>Code <input name="code" value="{escape(code)}" autocomplete="off" spellcheck="false" required
        autofocus /></label>
      <label>Name <input name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none"
        spellcheck="false" required /></label>
      <label>Password <input name="password" type="password" autocomplete="new-password" required /></label>
      <label>Again <input name="again" type="password" autocomplete="new-password" required /></label>
      <button>Make it and sign in</button>
    </form>"""


def _alert(error: FlowMLError | None) -> str:
    if error is None:
        return ""
    return f'<p role="alert"><strong>{escape(error.message)}</strong> {escape(error.advice)}</p>'


def _file(path: Path) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        return FileResponse(path, headers={"Cache-Control": "public, max-age=3600"})

    return endpoint
