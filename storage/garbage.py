"""Artifacts that nothing refers to any more, and their removal; and the move of all to another store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flowml.storage.artifacts import Artifacts, LocalArtifacts
from flowml.storage.db import Cursor, Database
from flowml.storage.errors import StorageError

YOUNG_S = 86_400.0  # what is younger may belong to a job whose end is not written down yet
HASH = "[0-9a-f]{64}"
# What they tell of a content keeps no file alive: a dataset only while it can be used, see below.
PASSING = ("dataset", "measurement", "audit", "log", "seen_fact", "session", "token")
DATASETS = "SELECT sha256 FROM dataset WHERE NOT deleted OR id IN (SELECT dataset_id FROM job)"
COLUMNS = "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type = 'VARCHAR' AND NOT internal"


@dataclass(frozen=True)
class Collected:
    kept: int
    removed: int
    freed: int  # bytes


@dataclass(frozen=True)
class Moved:
    copied: int
    already: int  # were there before
    size: int  # bytes of what was copied


def referenced(cursor: Cursor) -> set[str]:
    """The hashes of all that a dataset, job or model still needs, wherever it is written down."""
    found = {sha256 for (sha256,) in cursor.execute(DATASETS).fetchall()}
    for table, column in cursor.execute(COLUMNS).fetchall():
        if table not in PASSING:
            sql = f'SELECT DISTINCT unnest(regexp_extract_all("{column}", \'{HASH}\')) FROM "{table}"'
            found |= {sha256 for (sha256,) in cursor.execute(sql).fetchall()}
    return found


def collect(db: Database, artifacts: Artifacts, older_s: float = YOUNG_S, dry: bool = False) -> Collected:
    """Removes what nothing refers to and is older than that; `dry` only counts it."""
    before = time.time() - older_s
    stored = list(artifacts.list_())  # first: what comes meanwhile is not looked at
    with db.read() as cursor:
        needed = referenced(cursor)
    gone = [each for each in stored if each.sha256 not in needed and each.modified_at < before]
    for each in () if dry else gone:
        artifacts.delete(each.sha256)
    return Collected(len(stored) - len(gone), len(gone), sum(each.size for each in gone))


def collect_beside(db: Database, artifacts: LocalArtifacts, older_s: float) -> Collected:
    """The same while a studio works on the database: nothing new is written down meanwhile.

    Who puts a content that lies there already makes it young again, and so it stays.
    """
    with db.write() as cursor:
        needed, stored = referenced(cursor), list(artifacts.list_())
        unneeded = [each for each in stored if each.sha256 not in needed]
        gone = [each for each in unneeded if artifacts.delete_older(each.sha256, time.time() - older_s)]
    return Collected(len(stored) - len(gone), len(gone), sum(each.size for each in gone))


def move(source: Artifacts, target: Artifacts, told: Callable[[int, int], object]) -> Moved:
    """Copies all that is not there yet, each checked by its hash; `source` stays as it is.

    `told` hears how many are done, of how many. To call it again after an interruption goes on.
    """
    there = {each.sha256: each.size for each in target.list_()}
    all_ = sorted(source.list_(), key=lambda each: each.sha256)
    missing = [each for each in all_ if there.get(each.sha256) != each.size]
    for done, each in enumerate(missing, start=1):
        if target.put_file(source.path(each.sha256)).sha256 != each.sha256:
            raise StorageError(
                f"What {source.place} holds as {each.sha256} has another content.",
                "Restore it from a backup.",
            )
        told(done, len(missing))
    return Moved(len(missing), len(all_) - len(missing), sum(each.size for each in missing))
