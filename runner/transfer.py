"""How the files of a job reach the machine that works on it, and how what it made comes back.

By a folder or an object store that studio and workers share, or over HTTP from the studio (`remote`). Another
way is another class with these methods.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from redis import Redis

from flowml.runner import about
from flowml.runner.cache import Cache
from flowml.runner.remote import Kept, Remote
from flowml.runner.settings import Settings
from flowml.runner.stores import open_artifacts, open_parcels
from flowml.runner.trust import of_authorities
from flowml.storage.artifacts import Artifacts
from flowml.storage.errors import NotFound
from flowml.storage.records import Artifact

PARCELS_KEPT_S = 2 * 86_400  # of a job that did not come to clear them away


class Transfer(Protocol):
    def fetch(self, kept: Kept) -> Path:
        """The table of a dataset as a Parquet file, or another file, on this machine. Raises NotFound."""

    def deliver(self, path: Path) -> Artifact:
        """Hands over a file that a job made."""

    def send(self, parcel: Path) -> Artifact:
        """Hands a file to another machine, which needs it only while a job runs."""

    def receive(self, parcel: Artifact) -> AbstractContextManager[Path]:
        """What another machine sent, as a file on this one for a moment. Raises NotFound."""

    def discard(self, sha256: str) -> None:
        """Nobody needs a parcel any more."""


class SharedStore:
    """A store that studio and workers reach alike."""

    def __init__(self, artifacts: Artifacts, parcels: Artifacts) -> None:
        self._artifacts = artifacts
        self._parcels = parcels

    def fetch(self, kept: Kept) -> Path:
        try:
            return self._artifacts.path(kept.sha256)
        except NotFound as missing:
            raise NotFound(
                f"The file of {kept.name!r} is not in {self._artifacts.place}.",
                "Share the studio's artifacts with this worker: name it the same FLOWML_ARTIFACTS_FOLDER or "
                "FLOWML_ARTIFACTS_URL.",
            ) from missing

    def deliver(self, path: Path) -> Artifact:
        return self._artifacts.put_file(path)

    def send(self, parcel: Path) -> Artifact:
        return self._parcels.put_file(parcel)

    def receive(self, parcel: Artifact) -> AbstractContextManager[Path]:
        return nullcontext(self._parcels.path(parcel.sha256))

    def discard(self, sha256: str) -> None:
        self._parcels.delete(sha256)


def transfer_of(settings: Settings, redis: Redis, job_id: str) -> Transfer:
    """Through the store where it is the studio's own, else over HTTP."""
    said = about.read(redis)
    if said is None or not said.urls or said.store == about.store_of(settings):
        return SharedStore(open_artifacts(settings), open_parcels(settings))
    urls = (settings.studio_url,) if settings.studio_url else said.urls
    cache, trusted = Cache(settings.cache, settings.cache_limit), of_authorities(settings.tls_ca)
    return Remote(urls, redis, job_id, cache, trusted=trusted)


def sweep(settings: Settings) -> int:
    """Removes parcels that nobody came for; returns how many."""
    parcels, old = open_parcels(settings), time.time() - PARCELS_KEPT_S
    left = [each.sha256 for each in parcels.list_() if each.modified_at < old]
    for sha256 in left:
        parcels.delete(sha256)
    return len(left)
