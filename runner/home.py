"""The data folder of a studio: made, private, and held by one studio at a time."""

from __future__ import annotations

import fcntl
import os
import socket
import uuid
from pathlib import Path
from typing import IO

from flowml.runner.settings import Settings
from flowml.storage.errors import Conflict, StorageError

LOCK = "studio.lock"
ID = "studio.id"


def prepare(settings: Settings) -> None:
    """Makes the folders. Raises StorageError where one cannot be written."""
    folders = (
        settings.home,
        settings.artifacts,
        settings.work,
        settings.uploads,
        settings.logs,
        settings.spool,
    )
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _unwritable(folder, error.strerror or str(error)) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise _unwritable(folder, "no right to write")


def _unwritable(folder: Path, reason: str) -> StorageError:
    return StorageError(
        f"The folder {folder} cannot be written: {reason}.",
        "Give this user the right to write there, or choose another with FLOWML_HOME or --data-dir.",
    )


class HomeLock:
    """Held as long as the process lives: DuckDB and the embedded Redis have one owner."""

    def __init__(self, home: Path) -> None:
        self._path = home / LOCK
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises Conflict if another studio holds it."""
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise Conflict(
                f"Another studio (process {owner}) runs on the data folder {self._path.parent}.",
                "Use that one, stop it, or choose another folder with FLOWML_HOME or --data-dir.",
            ) from held
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def studio_id(home: Path) -> str:
    """The same for every studio that ever runs on this folder."""
    path = home / ID
    if not path.is_file():
        path.write_text(uuid.uuid4().hex)
    return path.read_text().strip()


def place_of(home: Path) -> str:
    """The same for all processes that find the same files under the same paths."""
    return f"{socket.gethostname()}:{studio_id(home)}"
