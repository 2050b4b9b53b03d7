"""Files of other machines, kept on this one by their content: fetched once, verified, least used dropped.

Each hash has a lock: while one process fetches, others wait for it, and what a process uses is not dropped.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flowml.storage.artifacts import check_id
from flowml.storage.errors import StorageError

WAIT_S = 0.05
PART, LOCK, PARCELS = ".part", ".lock", "parcels"

Fetch = Callable[[Path], None]  # appends to a file, from where it ends


class Cache:
    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._in_use: list[int] = []  # locks, which the system frees when the process ends

    def get(self, sha256: str, fetch: Fetch) -> Path:
        """The file, fetched if it is not here yet. It stays until `close`, or the end of this process.

        A fetch that broke off goes on from where it ended. Raises StorageError for other content.
        """
        check_id(sha256)
        place = self._folder / sha256[:2] / sha256
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(place.with_name(sha256 + LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        self._in_use.append(lock)
        while not place.is_file() or not _locked(lock, fcntl.LOCK_SH):
            if not _locked(lock, fcntl.LOCK_EX):
                time.sleep(WAIT_S)  # somebody fetches it
                continue
            try:
                if not place.is_file():
                    self._fetch(place, sha256, fetch)
                    self._make_room(place)
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)
        os.utime(place)
        return place

    def close(self) -> None:
        while self._in_use:
            os.close(self._in_use.pop())

    @contextmanager
    def once(self, sha256: str, fetch: Fetch) -> Iterator[Path]:
        """A file that is used at once and not kept."""
        check_id(sha256)
        place = self._folder / PARCELS / f"{sha256}-{secrets.token_hex(4)}"
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._fetch(place, sha256, fetch)
            yield place
        finally:
            place.unlink(missing_ok=True)

    def _fetch(self, place: Path, sha256: str, fetch: Fetch) -> None:
        part = place.with_name(place.name + PART)
        fetch(part)
        found = digest(part)
        if found != sha256:
            part.unlink(missing_ok=True)
            raise StorageError(
                f"A file arrived with other content: {found[:12]}… instead of {sha256[:12]}….",
                "It is fetched again next time; if that happens again, look at the disk of the sender.",
            )
        part.replace(place)

    def _make_room(self, but: Path) -> None:
        """Drops what was not used for the longest time, until the rest fits."""
        files = [path for path in self._folder.glob("??/*") if path.suffix not in (PART, LOCK)]
        files.sort(key=lambda path: path.stat().st_mtime)
        size = sum(path.stat().st_size for path in files)
        for path in files:
            if size <= self._limit_bytes:
                return
            if path != but and (freed := _drop(path)):
                size -= freed


def _locked(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _drop(path: Path) -> int:
    """The bytes that were freed; 0 while somebody uses the file."""
    with path.with_name(path.name + LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        size = path.stat().st_size
        path.unlink()
        return size


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
