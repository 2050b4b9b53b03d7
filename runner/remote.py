"""The files of a job over HTTP, for a worker that shares no folder with the studio.

Content never changes under its hash, so what broke off goes on where it ended, and what comes is verified.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import httpx
from redis import Redis

from flowml.runner import passes
from flowml.runner.cache import Cache, digest
from flowml.storage.errors import NotFound, NotReady, StorageError
from flowml.storage.records import Artifact

BLOBS = "/api/blobs/{}"
PARCEL = {"parcel": "true"}
AS_IT_IS = {"Accept-Encoding": "identity"}  # a packed answer could neither go on in parts nor be verified
PATIENCE_S = 120.0  # with a studio that does not answer
MODEL_PATIENCE_S = 900.0  # at the end of a job, when all of it would be lost
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
BLOCK = 1 << 20

Value = TypeVar("Value")

log = logging.getLogger(__name__)


class Kept(Protocol):
    """A dataset, or another file that has a name."""

    @property
    def sha256(self) -> str: ...
    @property
    def name(self) -> str: ...


class Remote:
    """`urls` are addresses of the studio: the first that answers is used, if `trusted` believes it."""

    def __init__(
        self,
        urls: tuple[str, ...],
        redis: Redis,
        job_id: str,
        cache: Cache,
        patience_s: float = PATIENCE_S,
        trusted: ssl.SSLContext | bool = True,
    ) -> None:
        self._urls, self._redis, self._job_id, self._cache = list(urls), redis, job_id, cache
        self._patience_s = patience_s
        self._http = httpx.Client(timeout=TIMEOUT, trust_env=False, verify=trusted)
        self._pass = ""

    def fetch(self, kept: Kept) -> Path:
        return self._cache.get(kept.sha256, self._fetching(kept.sha256, repr(kept.name)))

    def deliver(self, path: Path) -> Artifact:
        return self._put(path, {}, max(self._patience_s, MODEL_PATIENCE_S))

    def send(self, parcel: Path) -> Artifact:
        return self._put(parcel, PARCEL, self._patience_s)

    def receive(self, parcel: Artifact) -> AbstractContextManager[Path]:
        return self._cache.once(parcel.sha256, self._fetching(parcel.sha256, "What a trial left behind"))

    def discard(self, sha256: str) -> None:
        self._insist(partial(self._request, "DELETE", sha256), self._patience_s)

    # --- one file -----------------------------------------------------------------------------------------

    def _fetching(self, sha256: str, what: str) -> Callable[[Path], None]:
        def fetch(part: Path) -> None:
            self._insist(partial(self._download, sha256, part, what), self._patience_s)

        return fetch

    def _download(self, sha256: str, part: Path, what: str) -> None:
        begun = part.stat().st_size if part.exists() else 0
        headers = self._headers() | AS_IT_IS | ({"Range": f"bytes={begun}-"} if begun else {})
        with self._http.stream("GET", self._url(sha256), headers=headers) as answer:
            if answer.status_code == 404:
                raise NotFound(f"{what} is not at the studio any more.", "It may have been deleted.")
            if answer.status_code == 416:  # all of it is here
                return
            self._check(answer)
            with part.open("ab" if answer.status_code == 206 else "wb") as file:
                for block in answer.iter_raw(BLOCK):
                    file.write(block)

    def _put(self, path: Path, query: dict[str, str], patience_s: float) -> Artifact:
        artifact = Artifact(digest(path), path.stat().st_size)

        def put() -> None:
            with path.open("rb") as content:
                length = {"Content-Length": str(artifact.size)}
                self._request("PUT", artifact.sha256, query, iter(partial(content.read, BLOCK), b""), length)

        self._insist(put, patience_s)
        return artifact

    # --- requests -----------------------------------------------------------------------------------------

    def _request(
        self,
        method: str,
        sha256: str,
        query: dict[str, str] | None = None,
        content: object = None,
        more: dict[str, str] | None = None,
    ) -> None:
        headers = self._headers() | (more or {})
        answer = self._http.request(
            method,
            self._url(sha256),
            params=query,
            headers=headers,
            content=content,  # type: ignore[arg-type]
        )
        self._check(answer)

    def _insist(self, ask: Callable[[], Value], patience_s: float) -> Value:
        """Tries again while the studio is away or restarts, at its other addresses too."""
        deadline, pause = time.monotonic() + patience_s, FIRST_PAUSE_S
        while True:
            try:
                return ask()
            except (httpx.TransportError, NotReady) as trouble:
                if time.monotonic() + pause > deadline:
                    raise StorageError(
                        f"The studio does not answer at {', '.join(self._urls)}: {trouble}.",
                        "Is its address right? Name another with --studio or FLOWML_STUDIO_URL.",
                    ) from trouble
                log.info("The studio does not answer at %s (%s); trying again", self._urls[0], trouble)
                self._urls.append(self._urls.pop(0))
                time.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)

    def _check(self, answer: httpx.Response) -> None:
        if answer.status_code == 401:  # the pass has ended
            self._pass = ""
            raise NotReady("The studio asks for a new pass.")
        if answer.status_code >= 500:
            raise NotReady(f"The studio answered {answer.status_code}.")
        if answer.status_code >= 400:
            raise StorageError(f"The studio refused a file with {answer.status_code}.", "See its log.")

    def _headers(self) -> dict[str, str]:
        if not self._pass:
            self._pass = passes.issue(self._redis, self._job_id)
        return {"Authorization": f"Bearer {self._pass}", "X-FlowML": "1"}

    def _url(self, sha256: str) -> str:
        return self._urls[0].rstrip("/") + BLOBS.format(sha256)
