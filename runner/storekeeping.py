"""What an administrator does with the store of artifacts while the studio rests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from flowml.runner import backups
from flowml.runner.home import HomeLock
from flowml.runner.settings import Settings
from flowml.runner.stores import open_artifacts
from flowml.storage import garbage
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, NotFound
from flowml.storage.garbage import Collected, Moved


def collect(settings: Settings, older_s: float, dry: bool) -> Collected:
    """Removes artifacts that nothing refers to. Raises Conflict while a studio runs on the data folder."""
    with _resting(settings):
        if not settings.database.is_file():
            raise NotFound(f"There is no studio's data in {settings.home}.", "Name it with FLOWML_HOME.")
        with closing(Database(settings.database)) as db:
            return garbage.collect(db, open_artifacts(settings), older_s, dry)


def move(settings: Settings, url: str, told: Callable[[int, int], object]) -> Moved:
    """Copies all artifacts to another store, checked by their hashes; the settings stay as they are."""
    with _resting(settings):
        source, target = open_artifacts(settings), open_artifacts(settings, url)
        if source.place == target.place:
            raise Conflict(f"The artifacts lie in {source.place} already.", "Name another place with --to.")
        return garbage.move(source, target, told)


def back_up(settings: Settings, out: Path) -> None:
    """Writes a backup of a studio that rests, whole or not at all."""
    part = out.with_name(out.name + ".part")
    with _resting(settings):
        if not settings.database.is_file():
            raise NotFound(f"There is no studio's data in {settings.home}.", "Name it with FLOWML_HOME.")
        with closing(Database(settings.database)) as db, part.open("wb") as file:
            part.chmod(0o600)
            for piece in backups.pieces(db, open_artifacts(settings), settings):
                file.write(piece)
        part.replace(out)


@contextmanager
def _resting(settings: Settings) -> Iterator[None]:
    """While no studio runs on the data folder, and none can start."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = HomeLock(settings.home)
    lock.take()
    try:
        yield
    finally:
        lock.release()
