"""How the files of a job reach the machine that works on it, and how what it made comes back.

By a folder that studio and workers share, or by an object store that both reach. Another way (over HTTP) is
another class with these methods.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from flowml.runner.settings import Settings
from flowml.runner.stores import open_artifacts, open_parcels
from flowml.storage.artifacts import Artifacts
from flowml.storage.errors import NotFound
from flowml.storage.records import Artifact

PARCELS_KEPT_S = 2 * 86_400  # of a job that did not come to clear them away


class Kept(Protocol):
    """A dataset, or another file that has a name."""

    @property
    def sha256(self) -> str: ...
    @property
    def name(self) -> str: ...


class Transfer(Protocol):
    def fetch(self, kept: Kept) -> Path:
        """The table of a dataset as a Parquet file, or another file, on this machine. Raises NotFound."""

    def deliver(self, path: Path) -> Artifact:
        """Hands over a file that a job made."""

    def send(self, parcel: Path) -> Artifact:
        """Hands a file to another machine, which needs it only while a job runs."""

    def receive(self, parcel: Artifact) -> Path:
        """What another machine sent, as a file on this one. Raises NotFound."""

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

    def receive(self, parcel: Artifact) -> Path:
        return self._parcels.path(parcel.sha256)

    def discard(self, sha256: str) -> None:
        self._parcels.delete(sha256)


def transfer_of(settings: Settings) -> Transfer:
    return SharedStore(open_artifacts(settings), open_parcels(settings))


def sweep(settings: Settings) -> int:
    """Removes parcels that nobody came for; returns how many."""
    parcels, old = open_parcels(settings), time.time() - PARCELS_KEPT_S
    left = [each.sha256 for each in parcels.list_() if each.modified_at < old]
    for sha256 in left:
        parcels.delete(sha256)
    return len(left)
