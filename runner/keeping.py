"""What an administrator looks after: the settings in force, the room that files take, what nothing needs."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from flowml.runner import facts, inforce
from flowml.runner.connection import reachable
from flowml.runner.desk import Desk
from flowml.runner.rights import right
from flowml.runner.settings import Effective
from flowml.storage import garbage, jobs
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.errors import Conflict
from flowml.storage.garbage import Collected
from flowml.storage.records import ACTIVE, Scope

WEEK_S = 7 * 86_400.0


@dataclass(frozen=True)
class Shelf:
    """One part of what a studio keeps."""

    name: str
    place: str  # a folder, a file, or the address of an object store
    files: int
    size: int  # bytes


@dataclass(frozen=True)
class Room:
    shelves: tuple[Shelf, ...]
    free: int  # bytes on the disk of the data folder
    total: int

    @property
    def used(self) -> int:
        """Bytes of all shelves."""
        return sum(shelf.size for shelf in self.shelves)


class Keeping(Desk):
    @right(Scope.ADMIN)
    def settings_in_force(self) -> tuple[Effective, ...]:
        """Every setting with its value, secrets hidden by `shown`, and where it comes from."""
        return inforce.in_force(self._settings)

    @right(Scope.ADMIN)
    def room(self) -> Room:
        """What the studio keeps, where, and how much of it."""
        settings, stored = self._settings, tuple(self._artifacts.list_())
        disk = shutil.disk_usage(settings.home)
        database = settings.database
        return Room(
            (
                Shelf(
                    "Tables and models", self._artifacts.place, len(stored), sum(each.size for each in stored)
                ),
                _shelf("Database", database, *database.parent.glob(f"{database.name}*")),
                _shelf("Earlier databases", settings.home, *database.parent.glob("*.before-*.duckdb")),
                _folder("Uploads on their way", settings.uploads),
                _folder("Work of running jobs", settings.work),
                _folder("Fetched tables", settings.cache),
                _folder("Logs", settings.logs),
            ),
            disk.free,
            disk.total,
        )

    @right(Scope.ADMIN, "storage.collect")
    def collect_garbage(self, older_s: float = WEEK_S, dry: bool = False) -> Collected:
        """Removes artifacts that nothing refers to and that are older; `dry` only counts them.

        Raises Conflict while a job is under way, whose files may not be written down yet, and for an object
        store, whose files `flowml storage gc` collects while the studio rests.
        """
        if dry:
            return garbage.collect(self._db, self._artifacts, older_s, dry=True)
        if not isinstance(self._artifacts, LocalArtifacts):
            raise Conflict(
                f"The files in {self._artifacts.place} are collected while the studio rests.",
                "Stop it and run `flowml storage gc`.",
            )
        with self._db.read() as cursor:
            under_way = jobs.count(cursor, states=ACTIVE)
        with reachable():
            told = facts.waiting(self._redis)
        if under_way or told:
            raise Conflict(
                f"{under_way} jobs are under way and may need files that nothing refers to yet.",
                "Wait until they have ended.",
            )
        return garbage.collect_beside(self._db, self._artifacts, older_s)


def _folder(name: str, folder: Path) -> Shelf:
    found = (Path(inside) / name for inside, _, names in os.walk(folder) for name in names)
    return _shelf(name, folder, *found)


def _shelf(name: str, place: Path, *files: Path) -> Shelf:
    sizes = [size for path in files if (size := _size(path)) is not None]
    return Shelf(name, str(place), len(sizes), sum(sizes))


def _size(path: Path) -> int | None:
    """None for what is gone meanwhile."""
    try:
        return path.stat().st_size
    except OSError:
        return None
