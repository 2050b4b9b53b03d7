"""Requests to a studio and their answers: typed, tried again where that is safe, errors as raised there."""

from __future__ import annotations

import re
import ssl
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from flowml.storage.errors import FlowMLError, InputError, NotFound, NotReady, TooMany, error_of
from flowml.ui.remote import PART

T = TypeVar("T")

TRIES = 3
PAUSE_S = 0.3  # before the second try; twice as long before the third
LONGEST_WAIT_S = 10.0  # that a studio may ask for
PAGE = 500
LONG = httpx.Timeout(60.0, read=600.0)
SAFE = frozenset({"GET", "HEAD"})
KEY = "Idempotency-Key"

VISIBLE = re.compile(r"[\x21-\x7e]+")
# Codes of the API alone, and what they are in the tree.
CODES = {"request": "input", "no_route": "not_found", "no_method": "input", "gone": "input"}


class Wire:
    """One studio, by its address. `token` is sent as a bearer token where the studio asks for one.

    Raises InputError for what is no address, and for what can be no token.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        timeout_s: float = 60.0,
        trusted: ssl.SSLContext | bool = True,
    ) -> None:
        _check(url, token or "")
        headers = {"X-FlowML": "1"} | ({"Authorization": f"Bearer {token}"} if token else {})
        # No proxy from the environment: tables go to the named studio and nowhere else.
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=timeout_s, trust_env=False, verify=trusted
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    @property
    def url(self) -> str:
        return str(self._http.base_url).rstrip("/")

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One request. Raises what the studio raised, NotReady where none answers."""
        again = method in SAFE or KEY in (content.get("headers") or {})
        for attempt in range(TRIES if again else 1):
            last = attempt + 1 == TRIES or not again
            try:
                answer = self._http.request(method, f"api/{path}", **content)
            except httpx.TransportError as error:
                if last:
                    raise self._away(error) from error
                time.sleep(PAUSE_S * 2**attempt)
                continue
            if answer.is_success:
                return answer
            told = error_in(answer)
            if not isinstance(told, TooMany) or last or told.wait_s > LONGEST_WAIT_S:
                raise told
            time.sleep(told.wait_s)
        raise AssertionError("unreachable")

    def _one(self, kind: type[T], method: str, path: str, **content: Any) -> T:
        """The answer as `kind`."""
        found: T = adapter(kind).validate_json(self._ask(method, path, **content).content)
        return found

    def _many(
        self, kind: type[T], path: str, params: Mapping[str, Any] | None = None, limit: int | None = None
    ) -> list[T]:
        """All of a long list, or so many, piece by piece."""
        found: list[T] = []
        wanted = {name: value for name, value in (params or {}).items() if value not in (None, "")}
        while limit is None or len(found) < limit:
            size = PAGE if limit is None else min(PAGE, limit - len(found))
            asked = {**wanted, "limit": size, "offset": len(found)}
            piece = adapter(list[kind]).validate_json(  # type: ignore[valid-type]
                self._ask("GET", path, params=asked).content
            )
            found += piece
            if len(piece) < size:
                break
        return found

    def _events(self, method: str, path: str, **content: Any) -> Iterator[dict[str, str]]:
        """Server-Sent Events, each as its fields."""
        try:
            with self._http.stream(method, f"api/{path}", **content) as answer:
                if answer.is_error:
                    answer.read()
                    raise error_in(answer)
                block: dict[str, str] = {}
                for line in answer.iter_lines():
                    name, _, text = line.partition(": ")
                    if line:
                        block[name] = text
                        continue
                    if "data" in block:
                        yield block
                    block = {}
        except httpx.TransportError as error:
            raise self._away(error) from error

    def _save(self, path: str, to: Path | str) -> Path:
        """A long answer, written as it comes; the file appears whole or not at all."""
        part = Path(to).with_name(Path(to).name + PART)
        try:
            with part.open("wb") as file:
                self._stream(path, file)
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)
        return Path(to)

    def _stream(self, path: str, into: IO[bytes]) -> None:
        try:
            with self._http.stream("GET", f"api/{path}", timeout=LONG) as answer:
                if answer.is_error:
                    answer.read()
                    raise error_in(answer)
                for piece in answer.iter_bytes(2**20):
                    into.write(piece)
        except httpx.TransportError as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> NotReady:
        reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            return NotReady(
                f"Who answers at {self.url} cannot be believed: {reason}.",
                "If its certificate is your own, name the file with it by FLOWML_TLS_CA.",
            )
        return NotReady(
            f"No studio answers at {self.url}: {reason}.",
            "Start one with `flowml up`, or name another with --studio or FLOWML_STUDIO_URL.",
        )


def _check(url: str, token: str) -> None:
    try:
        asked = httpx.URL(url)
    except httpx.InvalidURL:
        asked = httpx.URL("")
    if asked.scheme not in ("http", "https") or not asked.host:
        raise InputError(
            f"{url!r} is no address of a studio; expected one such as http://127.0.0.1:8501.",
            "Begin with http:// or https://.",
        )
    if token and not VISIBLE.fullmatch(token):
        raise InputError("The token has characters that no token has.", "Copy it whole, and nothing else.")


def keyed() -> dict[str, str]:
    """A header by which the studio does a request once, however often it arrives."""
    return {KEY: uuid.uuid4().hex}


def quoted(part: str) -> str:
    """A name or id as part of an address.

    Raises InputError for an empty one, which would name a list, and NotFound for what would be a path.
    """
    if not part:
        raise InputError("A name or id is empty.", "Say which one is meant.")
    if "/" in part or part in (".", ".."):
        raise NotFound(f"There is no {part!r}: no name or id has a slash.", "Say which one is meant.")
    return quote(part, safe="@:")


_adapters: dict[Any, TypeAdapter[Any]] = {}


def adapter(kind: Any) -> TypeAdapter[Any]:
    """Reads `kind` from JSON."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def error_in(answer: httpx.Response) -> FlowMLError:
    """The error that a problem document tells of."""
    try:
        told = answer.json()
        code, detail, advice = told["code"], told["detail"], told.get("advice", "")
    except (ValueError, KeyError, TypeError):
        return FlowMLError(f"{answer.url} answered {answer.status_code}.", "Is it a FlowML studio?")
    error = error_of(CODES.get(code, code), detail, advice)
    if isinstance(error, TooMany):
        error.wait_s = float(answer.headers.get("retry-after", 1))
    return error
