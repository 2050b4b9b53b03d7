"""A login elsewhere: OpenID Connect with the code flow, PKCE, state and nonce.

The provider tells who came by an address that it has verified; who that is here, the table of users says.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from flowml.runner.addresses import is_loopback
from flowml.runner.settings import Settings
from flowml.storage.errors import NotReady, NotSignedIn, SettingError

LASTS_S = 600.0  # from the click to the way back
KNOWN_S = 3600.0  # how long what a provider says of itself holds
TIMEOUT_S = 20.0
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
PLACES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Attempt:
    """One click on the sign-in page, kept in a signed cookie until the provider sends its reader back."""

    state: str
    nonce: str
    verifier: str
    target: str
    until: float


class Provider:
    """The provider of the settings. `clock` gives seconds since 1970."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Raises SettingError where what is set cannot work."""
        self._issuer = settings.oidc_url.rstrip("/")
        self._client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret
        self.name = settings.oidc_name
        self._key = (settings.secret_key or secrets.token_urlsafe(32)).encode()
        self._clock = clock
        self._about: dict[str, Any] = {}
        self._until = 0.0
        _check(settings)

    def begin(self, redirect: str, target: str) -> tuple[str, str]:
        """Where the browser goes, and the cookie that it takes along. `redirect` is where it shall come back.

        Raises NotReady while the provider does not answer.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        attempt = Attempt(state, nonce, verifier, target, self._clock() + LASTS_S)
        digest = hashlib.sha256(attempt.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect,
            "scope": "openid email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        place = self._of_provider()["authorization_endpoint"]
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}", self._sealed(attempt)

    def end(self, cookie: str, asked: dict[str, str], redirect: str) -> tuple[str, str]:
        """The verified address of who came back, and where it wanted to go.

        Raises NotSignedIn for an answer that is not to this browser's click or that proves nothing.
        """
        attempt = self._opened(cookie)
        if attempt is None or not _same(attempt.state, asked.get("state", "")):
            raise _refused("This answer belongs to no sign-in of this browser, or came too late.")
        if "code" not in asked:
            raise _refused(f"{self.name} says no: {asked.get('error', 'it gave no code')[:80]}.")
        return self._email(self._claims(asked["code"], attempt, redirect)), attempt.target

    # --- inner --------------------------------------------------------------------------------------------

    def _claims(self, code: str, attempt: Attempt, redirect: str) -> dict[str, Any]:
        """What the provider has signed about who came back."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        about = self._of_provider()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": attempt.verifier,
        }
        told = self._ask("POST", about["token_endpoint"], form)
        keys = self._ask("GET", about["jwks_uri"])
        try:
            token = jwt.decode(str(told["id_token"]), KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
            jwt.JWTClaimsRegistry(
                now=lambda: int(self._clock()),
                leeway=60,
                iss={"essential": True, "value": about["issuer"]},
                aud={"essential": True, "value": self._client_id},
                exp={"essential": True},
                nonce={"essential": True, "value": attempt.nonce},
            ).validate(token.claims)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise _refused(
                f"What {self.name} answered cannot be trusted ({type(error).__name__})."
            ) from error
        claims = dict(token.claims)
        if isinstance(claims["aud"], list) and claims.get("azp", self._client_id) != self._client_id:
            raise _refused(f"What {self.name} answered is for another program.")
        return claims

    def _email(self, claims: dict[str, Any]) -> str:
        email = claims.get("email")
        if not isinstance(email, str) or claims.get("email_verified") not in (True, "true"):
            raise _refused(f"{self.name} has not verified the address of this account.")
        return email

    def _of_provider(self) -> dict[str, Any]:
        """What the provider says of itself."""
        if self._clock() >= self._until:
            about = self._ask("GET", f"{self._issuer}/.well-known/openid-configuration")
            places = [str(about.get(name, "")) for name in PLACES]
            if str(about.get("issuer", "")).rstrip("/") != self._issuer or not all(map(_is_safe, places)):
                raise NotReady(f"{self.name} describes itself wrongly.", "Check FLOWML_OIDC_URL.")
            self._about, self._until = about, self._clock() + KNOWN_S
        return self._about

    def _ask(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        auth = httpx.BasicAuth(self._client_id, self._client_secret) if form else None
        try:
            answer = httpx.request(method, url, data=form, auth=auth, timeout=TIMEOUT_S)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NotReady(
                f"{self.name} does not answer.", "Try again, or sign in with a password."
            ) from error
        if answer.is_success and isinstance(told, dict):
            return told
        if form:
            raise _refused(f"{self.name} did not accept the code.")
        raise NotReady(f"{self.name} answers {answer.status_code}.", "Check FLOWML_OIDC_URL.")

    def _sealed(self, attempt: Attempt) -> str:
        text = base64.urlsafe_b64encode(json.dumps(vars(attempt)).encode())
        return f"{text.decode()}.{self._sign(text)}"

    def _opened(self, cookie: str) -> Attempt | None:
        text, _, seal = cookie.partition(".")
        if not _same(self._sign(text.encode()), seal):
            return None
        attempt = Attempt(**json.loads(base64.urlsafe_b64decode(text)))
        return attempt if self._clock() < attempt.until else None

    def _sign(self, text: bytes) -> str:
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def provider_of(settings: Settings) -> Provider | None:
    """The provider, where one is set. Raises SettingError where it is set by half or wrongly."""
    named = settings.oidc_url or settings.oidc_client_id or settings.oidc_client_secret
    return Provider(settings) if named else None


def _check(settings: Settings) -> None:
    rows = ("oidc_url", "oidc_client_id", "oidc_client_secret")
    missing = [f"FLOWML_{row.upper()}" for row in rows if not getattr(settings, row)]
    if missing:
        raise SettingError(f"A login elsewhere needs {' and '.join(missing)} too.", "See docs/security.md.")
    if not _is_safe(settings.oidc_url):
        raise SettingError(
            f"FLOWML_OIDC_URL is {settings.oidc_url!r}; expected an address that begins with https://.",
            "Give the provider's issuer, as https://login.example.com/realms/lab.",
        )
    if find_spec("joserfc") is None:
        raise SettingError(
            "A login elsewhere needs a library that is not there.", "pip install 'flowml-studio[oidc]'."
        )


def _is_safe(url: str) -> bool:
    """Whether what goes there cannot be read or changed on its way."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    )


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _refused(message: str) -> NotSignedIn:
    return NotSignedIn(message, "Try again, or ask an administrator.")
