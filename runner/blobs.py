"""The studio's side of files over HTTP: who may have which, and where those that come in are kept."""

from __future__ import annotations

from pathlib import Path

from redis import Redis

from flowml.runner import passes
from flowml.runner.cache import digest
from flowml.storage import jobs
from flowml.storage.artifacts import Artifacts
from flowml.storage.db import Database
from flowml.storage.errors import InputError, NotSignedIn


class Blobs:
    """Every call asks for the pass of a worker. Raises NotSignedIn for one that is unknown or has ended."""

    def __init__(self, artifacts: Artifacts, parcels: Artifacts, redis: Redis, db: Database) -> None:
        self._artifacts, self._parcels, self._redis, self._db = artifacts, parcels, redis, db

    def path(self, secret: str, sha256: str) -> Path:
        """A file that the pass's job needs, or a parcel. Raises NotFound for all else."""
        job_id = self.admit(secret)
        with self._db.read() as cursor:
            job = jobs.get(cursor, job_id)
        needed = {job.dataset_sha256}
        if job.scoring is not None:
            needed |= {job.scoring.model.sha256, job.scoring.source.sha256}
        return (self._artifacts if sha256 in needed else self._parcels).path(sha256)

    def keep(self, secret: str, sha256: str, path: Path, parcel: bool) -> None:
        """A file that came in. Raises InputError if it is not what its name says."""
        self.admit(secret)
        if digest(path) != sha256:
            raise InputError("The content does not fit the hash it was sent under.", "Send it again.")
        (self._parcels if parcel else self._artifacts).put_file(path)

    def discard(self, secret: str, sha256: str) -> None:
        """Parcels only: what else came in belongs to a model."""
        self.admit(secret)
        self._parcels.delete(sha256)

    def admit(self, secret: str) -> str:
        """The job that the pass is for."""
        job_id = passes.job_of(self._redis, secret) if secret else ""
        if not job_id:
            raise NotSignedIn("The pass is unknown or has ended.", "A worker makes a new one by itself.")
        return job_id
