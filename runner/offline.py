"""The users of a studio that does not run: from its data folder, which nobody else holds meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from flowml.runner.entrance import Entrance
from flowml.runner.home import HomeLock
from flowml.runner.people import People
from flowml.runner.settings import Settings
from flowml.storage.db import Database
from flowml.storage.records import OWNER


@contextmanager
def people_of(settings: Settings) -> Iterator[People]:
    """Raises Conflict while a studio runs on the folder."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = HomeLock(settings.home)
    lock.take()
    try:
        with closing(Database(settings.database)) as db:
            yield People(db, Entrance(db, settings)).as_person(
                replace(OWNER, name="local", via="data folder")
            )
    finally:
        lock.release()
