"""How the files of a job reach the machine that works on it, and how what it made comes back.

Today there is one way: a folder that studio and workers share. Another way (from an object store, or over
HTTP) is another class with these two methods.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from flowml.runner.settings import Settings
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.errors import NotFound
from flowml.storage.records import Artifact, Dataset

PARCELS = "parcels"  # folder of what only running jobs need
PARCELS_KEPT_S = 2 * 86_400  # of a job that did not come to clear them away


class Transfer(Protocol):
    def fetch(self, dataset: Dataset) -> Path:
        """The table of a dataset as a Parquet file on this machine. Raises NotFound."""

    def deliver(self, path: Path) -> Artifact:
        """Hands over a file that a job made."""

    def send(self, parcel: Path) -> Artifact:
        """Hands a file to another machine, which needs it only while a job runs."""

    def receive(self, parcel: Artifact) -> Path:
        """What another machine sent, as a file on this one. Raises NotFound."""

    def discard(self, sha256: str) -> None:
        """Nobody needs a parcel any more."""


class SharedFolder:
    def __init__(self, folder: Path) -> None:
        self._artifacts = LocalArtifacts(folder)
        self._parcels = LocalArtifacts(folder / PARCELS)

    def fetch(self, dataset: Dataset) -> Path:
        try:
            return self._artifacts.path(dataset.sha256)
        except NotFound as missing:
            raise NotFound(
                f"The table of dataset {dataset.name!r} is not in {self._artifacts.root}.",
                "Share the studio's artifacts folder with this worker and name it FLOWML_ARTIFACTS_FOLDER.",
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
    return SharedFolder(settings.artifacts)


def sweep(settings: Settings) -> int:
    """Removes parcels that nobody came for; returns how many."""
    old = time.time() - PARCELS_KEPT_S
    left = [path for path in (settings.artifacts / PARCELS).glob("*/*") if path.stat().st_mtime < old]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)
