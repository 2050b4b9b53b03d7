"""Artifacts in an S3-compatible store, with the ones that are read kept in a folder of this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore import exceptions
from obstore.store import S3Store

from flowml.storage.artifacts import BLOCK, PART, SHA256, Artifacts, Stored, check_id, hashed
from flowml.storage.errors import NotFound, StorageError
from flowml.storage.records import Artifact

if TYPE_CHECKING:
    from obstore.store import S3Config

ONE_PIECE = 16 << 20  # bytes up to which a file is sent at once, and only if it is not there yet
CHUNK = 8 << 20
CONCURRENT = 4
CACHED = 20 * 10**9  # bytes that are kept here
IN_USE_S = 3600.0  # a file that was asked for within this time is not dropped
CONNECT = timedelta(seconds=5)
READ = timedelta(seconds=60)
RETRIES = 3
DENIED = ("401 Unauthorized", "403 Forbidden")
LOCAL_REGION = "us-east-1"  # what servers of one's own expect where none is named


@dataclass(frozen=True)
class Access:
    """How an S3 server is reached. Without an endpoint it is AWS; without keys, as the environment says."""

    endpoint: str = ""
    key: str = ""
    secret: str = ""
    region: str = ""

    def __repr__(self) -> str:
        return f"Access(endpoint={self.endpoint!r}, region={self.region!r})"


class S3Artifacts:
    """Artifacts in a bucket: PREFIX/ab/abcd…; `cache` is the folder for those that are read."""

    def __init__(self, bucket: str, prefix: str, access: Access, cache: Path) -> None:
        self.place = f"s3://{bucket}/{prefix}".rstrip("/")
        self._cache = cache
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._store = _open(bucket, prefix, access)

    def put_bytes(self, content: bytes) -> Artifact:
        artifact = Artifact(hashlib.sha256(content).hexdigest(), len(content))
        self._send(artifact, content)
        return artifact

    def put_file(self, path: Path) -> Artifact:
        artifact = hashed(path)
        self._send(artifact, path.read_bytes() if artifact.size <= ONE_PIECE else path)
        return artifact

    def take_file(self, path: Path) -> Artifact:
        return self.put_file(path)

    def path(self, sha256: str) -> Path:
        place = self._cached(sha256)
        if not place.is_file():
            self._fetch(sha256, place)
        os.utime(place)
        return place

    def read(self, sha256: str, start: int, length: int) -> bytes:
        with self._refusals():
            try:
                return bytes(obstore.get_range(self._store, _key(sha256), start=start, length=length))
            except FileNotFoundError as error:
                raise _absent(sha256, self.place) from error

    def has(self, sha256: str) -> bool:
        return self._size(sha256) is not None

    def delete(self, sha256: str) -> None:
        with self._refusals(), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, _key(sha256))
        self._cached(sha256).unlink(missing_ok=True)

    def list_(self) -> Iterator[Stored]:
        with self._refusals():
            for batch in obstore.list(self._store):
                for each in batch:
                    name = each["path"].rpartition("/")[2]
                    if SHA256.fullmatch(name) and each["path"] == _key(name):
                        yield Stored(name, each["size"], each["last_modified"].timestamp())

    def _send(self, artifact: Artifact, content: bytes | Path) -> None:
        """What lies there under a hash stays as it is; several pieces come together whole or not at all."""
        key = _key(artifact.sha256)
        if self._size(artifact.sha256) == artifact.size:
            return
        with self._refusals():
            if isinstance(content, Path):
                obstore.put(self._store, key, content, chunk_size=CHUNK, max_concurrency=CONCURRENT)
                return
            with contextlib.suppress(exceptions.AlreadyExistsError):
                obstore.put(self._store, key, content, mode="create")

    def _size(self, sha256: str) -> int | None:
        with self._refusals():
            try:
                return int(obstore.head(self._store, _key(sha256))["size"])
            except FileNotFoundError:
                return None

    def _fetch(self, sha256: str, place: Path) -> None:
        place.parent.mkdir(exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self._cache, prefix=PART)
        part = Path(name)
        try:
            digest = hashlib.sha256()
            with self._refusals(), os.fdopen(handle, "wb") as file:
                try:
                    stream = obstore.get(self._store, _key(sha256)).stream(min_chunk_size=BLOCK)
                except FileNotFoundError as error:
                    raise _absent(sha256, self.place) from error
                for block in stream:
                    file.write(block)
                    digest.update(block)
            if digest.hexdigest() != sha256:
                raise StorageError(
                    f"What {self.place} holds as {sha256} has another content.", "Restore it from a backup."
                )
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
        self._make_room()

    def _make_room(self) -> None:
        """Drops what was not asked for the longest."""
        files = [(path.stat(), path) for path in self._cache.glob("*/*")]
        over = sum(about.st_size for about, _ in files) - CACHED
        for about, path in sorted(files, key=lambda each: each[0].st_mtime):
            if over <= 0 or about.st_mtime > time.time() - IN_USE_S:
                return
            path.unlink(missing_ok=True)
            over -= about.st_size

    def _cached(self, sha256: str) -> Path:
        check_id(sha256)
        return self._cache / sha256[:2] / sha256

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except (exceptions.BaseError, OSError) as error:
            if any(sign in str(error) for sign in DENIED):
                raise StorageError(
                    f"{self.place} refuses these credentials.",
                    "Check FLOWML_S3_ACCESS_KEY, FLOWML_S3_SECRET_KEY and what they allow.",
                ) from error
            raise StorageError(
                f"{self.place} cannot be used: {_cause(error)}.", _advice(str(error))
            ) from error


def _open(bucket: str, prefix: str, access: Access) -> S3Store:
    config: S3Config = {}
    if access.key:
        config |= {"access_key_id": access.key, "secret_access_key": access.secret}
    if access.endpoint:
        config |= {"endpoint": access.endpoint, "region": access.region or LOCAL_REGION}
    elif access.region:
        config |= {"region": access.region}
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            "allow_http": access.endpoint.startswith("http://"),
            "connect_timeout": CONNECT,
            "read_timeout": READ,
            "timeout": timedelta(hours=1),
        },
        retry_config={
            "max_retries": RETRIES,
            "retry_timeout": timedelta(seconds=30),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        },
    )


def _key(sha256: str) -> str:
    check_id(sha256)
    return f"{sha256[:2]}/{sha256}"


def _absent(sha256: str, place: str) -> NotFound:
    return NotFound(f"No artifact {sha256} is stored in {place}.", "It may have been deleted.")


def _cause(error: BaseException) -> str:
    """The first line of what the server or the line said, without what the library adds for itself."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(".")


def _advice(said: str) -> str:
    if "NoSuchBucket" in said:
        return "Make the bucket, or name another with FLOWML_ARTIFACTS_URL."
    return "Check that the server runs and has room, and FLOWML_S3_ENDPOINT."


def _fits(artifacts: S3Artifacts) -> Artifacts:
    return artifacts
