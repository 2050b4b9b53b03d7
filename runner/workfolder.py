"""The folder of an unfinished job on one machine: held by one process at a time, gone when it has ended."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flowml.runner.waiting import wait_until
from flowml.storage.errors import Conflict

LOCK = "lock"
HELP = "help-"  # how the folders of helping lanes begin: over as soon as nobody works in them
PATIENCE_S = 120.0  # for a work-horse whose lease is lost and that is being stopped


@contextmanager
def held(folder: Path, patience_s: float = PATIENCE_S) -> Iterator[Path]:
    """The folder, made if need be. Raises Conflict while another process works in it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK).open("a+") as file:

        def locked() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        if not wait_until(locked, patience_s, step_s=0.1):
            raise Conflict(
                f"Another process still works in {folder}.", "The job runs again when that one has ended."
            )
        yield folder


def sweep(root: Path, over: Callable[[str], bool]) -> int:
    """Removes the folders of jobs that are over and that nobody works in; returns how many."""
    folders = [folder for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []
    return sum(_remove(folder) for folder in folders if folder.name.startswith(HELP) or over(folder.name))


def _remove(folder: Path) -> bool:
    try:
        with held(folder, patience_s=0.0):
            shutil.rmtree(folder, ignore_errors=True)
    except Conflict:
        return False
    return True
