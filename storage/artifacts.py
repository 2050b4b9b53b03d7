"""Files named by the SHA-256 of their content: datasets, models, out-of-fold predictions, reports.

What is stored under a hash never changes, so a file is written beside its place and linked in only when
whole; whoever reads it sees all of it or nothing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from flowml.storage.errors import NotFound, StorageError
from flowml.storage.records import Artifact

BLOCK = 1 << 20
PART = "new-"
DAY = 86_400.0
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Stored:
    """An artifact as it lies in its store."""

    sha256: str
    size: int
    modified_at: float


class Artifacts(Protocol):
    """A place for files, each found by its hash. What lies there never changes."""

    @property
    def place(self) -> str:
        """Where it is, to tell people."""

    def put_bytes(self, content: bytes) -> Artifact: ...

    def put_file(self, path: Path) -> Artifact:
        """Copies the file in; the original stays."""

    def take_file(self, path: Path) -> Artifact:
        """Like `put_file`, of a file that nobody changes from now on, where possible without a copy."""

    def path(self, sha256: str) -> Path:
        """A file on this machine to read from. Raises NotFound."""

    def read(self, sha256: str, start: int, length: int) -> bytes:
        """Some of its bytes, fewer where it ends. Raises NotFound."""

    def has(self, sha256: str) -> bool: ...

    def list_(self) -> Iterator[Stored]:
        """All that lies there, in no order."""

    def delete(self, sha256: str) -> None:
        """Removes it; to remove what is not there is no error."""


class LocalArtifacts:
    """Artifacts in a folder: ROOT/ab/abcd…, readable by the owner alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with _disk_errors(root):
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._sweep()

    @property
    def place(self) -> str:
        return str(self.root)

    def put_bytes(self, content: bytes) -> Artifact:
        return self._store([content])

    def put_file(self, path: Path) -> Artifact:
        return self._store(_blocks(path))

    def take_file(self, path: Path) -> Artifact:
        artifact = hashed(path)
        with _disk_errors(self.root):
            path.chmod(0o600)
            with path.open("rb") as file:
                os.fsync(file.fileno())
            try:
                self._keep(path, self._place(artifact.sha256))
            except OSError as error:
                if error.errno != errno.EXDEV:  # it lies on another disk
                    raise
                return self.put_file(path)
        return artifact

    def path(self, sha256: str) -> Path:
        place = self._place(sha256)
        if not place.is_file():
            raise NotFound(f"No artifact {sha256} is stored here.", "It may have been deleted.")
        return place

    def read(self, sha256: str, start: int, length: int) -> bytes:
        with self.path(sha256).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def has(self, sha256: str) -> bool:
        return self._place(sha256).is_file()

    def list_(self) -> Iterator[Stored]:
        for path in self.root.glob("??/*"):
            if SHA256.fullmatch(path.name):
                about = path.stat()
                yield Stored(path.name, about.st_size, about.st_mtime)

    def delete(self, sha256: str) -> None:
        with _disk_errors(self.root):
            self._place(sha256).unlink(missing_ok=True)

    def delete_older(self, sha256: str, before: float) -> bool:
        """Removes it if it was last put before that time; tells whether it did."""
        place, aside = self._place(sha256), self.root / f"{PART}{sha256}"
        with _disk_errors(self.root):
            if not place.is_file() or place.stat().st_mtime >= before:
                return False
            place.rename(aside)  # whoever puts the same from now on finds nothing, and puts it anew
            young = aside.stat().st_mtime >= before
            if young:
                self._keep(aside, place)
            aside.unlink(missing_ok=True)
        return not young

    def _place(self, sha256: str) -> Path:
        check_id(sha256)
        return self.root / sha256[:2] / sha256

    def _sweep(self) -> None:
        """Removes what was half written by a process that is surely gone."""
        for part in self.root.glob(f"{PART}*"):
            if part.stat().st_mtime < time.time() - DAY:
                part.unlink(missing_ok=True)

    def _store(self, blocks: Iterable[bytes]) -> Artifact:
        with _disk_errors(self.root):
            handle, name = tempfile.mkstemp(dir=self.root, prefix=PART)  # mode 0600
            part = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    artifact = _write(file, blocks)
                self._keep(part, self._place(artifact.sha256))
            finally:
                part.unlink(missing_ok=True)
        return artifact

    def _keep(self, part: Path, place: Path) -> None:
        place.parent.mkdir(exist_ok=True, mode=0o700)
        try:
            place.hardlink_to(part)
        except FileExistsError:
            try:
                os.utime(place)  # the same content is there already, and needed again
            except FileNotFoundError:  # just deleted
                place.hardlink_to(part)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
                raise
            part.rename(place)  # a file system without hard links


def check_id(sha256: str) -> None:
    if not SHA256.fullmatch(sha256):
        raise NotFound(f"{sha256!r} is no artifact id; expected 64 hexadecimal characters.")


def hashed(path: Path) -> Artifact:
    """What a file would be called, without keeping it."""
    with path.open("rb") as file:
        return Artifact(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def _write(file: BinaryIO, blocks: Iterable[bytes]) -> Artifact:
    digest, size = hashlib.sha256(), 0
    for block in blocks:
        size += file.write(block)
        digest.update(block)
    file.flush()
    os.fsync(file.fileno())
    return Artifact(digest.hexdigest(), size)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


@contextlib.contextmanager
def _disk_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        advice = (
            "Free some space and try again." if error.errno == errno.ENOSPC else "Check the folder's rights."
        )
        cause = f"{error.strerror or error} ({error.filename or root})"
        raise StorageError(f"The artifacts in {root} cannot be written: {cause}.", advice) from error
