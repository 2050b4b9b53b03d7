"""A backup is one tar file: a snapshot of the database, and the artifacts that it refers to.

    flowml-backup.json   what it is, of which version, how much is in it, and the hashes of the next two
    flowml.duckdb        the tables as they stood at one moment
    settings.toml        if there is one
    artifacts/HASH       each file, named by the hash of its content

It is taken while the studio works. What is written under a hash never changes, so the files fit the snapshot
whatever happens meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flowml.runner.settings import Settings
from flowml.runner.stores import open_artifacts
from flowml.storage import garbage, models
from flowml.storage.artifacts import SHA256, Artifacts
from flowml.storage.db import Database
from flowml.storage.errors import BrokenFile, Conflict, StorageError
from flowml.storage.records import Record
from flowml.storage.version import VERSION

ABOUT, DATABASE, SETTINGS, ARTIFACTS = "flowml-backup.json", "flowml.duckdb", "settings.toml", "artifacts/"
FORMAT = 1
PIECE = 2**20
PRESENT = "SELECT sha256 FROM dataset WHERE NOT deleted"
RECORD = 512  # bytes of a block of a tar file


@dataclass(frozen=True)
class About(Record):
    format: int
    version: str  # of the program that made it
    made_at: float
    artifacts: int
    missing: tuple[str, ...] = ()  # hashes of files that were deleted while it was made
    database: str = ""  # hash of the tables; empty in backups of before it was kept, as the next one
    settings: str = ""


def pieces(db: Database, artifacts: Artifacts, settings: Settings) -> Generator[bytes, None, None]:
    """The backup, piece by piece, to be written or sent. Waits only for the snapshot."""
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.home) as folder:
        snapshot = Path(folder) / DATABASE
        db.snapshot(snapshot)
        found, missing = _files(snapshot, artifacts)
        toml = settings.home / SETTINGS
        set_here = toml.read_bytes() if toml.is_file() else None
        about = About(
            FORMAT,
            VERSION,
            time.time(),
            len(found),
            tuple(missing),
            _hash_of(snapshot),
            "" if set_here is None else hashlib.sha256(set_here).hexdigest(),
        )
        yield from _member(ABOUT, json.dumps(about.to_dict()).encode())
        yield from _member(DATABASE, snapshot)
        if set_here is not None:
            yield from _member(SETTINGS, set_here)
        for sha256 in found:
            yield from _member(f"{ARTIFACTS}{sha256}", artifacts.path(sha256))
        yield bytes(2 * RECORD)


def restore(
    backup: IO[bytes], settings: Settings, told: Callable[[int, int], object] = lambda *_: None
) -> About:
    """Puts a backup into an empty data folder; `told` hears of each file, of how many.

    Raises Conflict where there is a studio's data already, BrokenFile for what is no whole backup.
    """
    if settings.database.exists():
        raise Conflict(
            f"There is a studio's data in {settings.home} already.", "Restore into another folder."
        )
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    artifacts, about, saved, kept = open_artifacts(settings), None, dict[str, Path](), 0
    with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.home) as folder, _opened(backup) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None:
                raise _broken(f"{member.name!r} is no file")
            if member.name == ABOUT:
                about = _about(content.read(PIECE))
            elif about is None:
                raise _broken(f"it begins with {member.name[:80]!r}")
            elif member.name in (DATABASE, SETTINGS):
                saved[member.name] = _save(content, Path(folder) / member.name)
            else:
                _keep(content, member.name, Path(folder), artifacts)
                kept += 1
                told(kept, about.artifacts)
        if about is None or DATABASE not in saved or kept != about.artifacts:
            raise _broken("it ends early")
        _compare(saved, {DATABASE: about.database, SETTINGS: about.settings})
        if SETTINGS in saved:
            saved[SETTINGS].replace(settings.home / SETTINGS)
        saved[DATABASE].rename(settings.database)
    return about


@contextmanager
def _opened(backup: IO[bytes]) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(fileobj=backup, mode="r|") as tar:
            yield tar
    except tarfile.TarError as error:
        raise _broken(str(error)) from error


def _about(content: bytes) -> About:
    try:
        about = About.from_dict(json.loads(content))
    except (ValueError, TypeError) as error:
        raise _broken("its description cannot be read") from error
    if about.format != FORMAT:
        raise BrokenFile(
            f"The backup is of format {about.format}, this program reads {FORMAT}.",
            f"Restore it with FlowML {about.version}.",
        )
    return about


def _keep(content: IO[bytes], name: str, folder: Path, artifacts: Artifacts) -> None:
    sha256 = name.removeprefix(ARTIFACTS)
    if not (name.startswith(ARTIFACTS) and SHA256.fullmatch(sha256)):
        raise _broken(f"there is {name[:80]!r} in it")
    part = _save(content, folder / "artifact")
    if artifacts.put_file(part).sha256 != sha256:
        raise _broken(f"the content of {name} is not what its name says")


def _compare(saved: Mapping[str, Path], hashes: Mapping[str, str]) -> None:
    """Raises BrokenFile for what is not as it was when the backup was made."""
    for name, sha256 in hashes.items():
        if sha256 and (name not in saved or _hash_of(saved[name]) != sha256):
            raise _broken(f"the content of {name} is not what it was")


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _save(content: IO[bytes], path: Path) -> Path:
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        path.chmod(0o600)
        while piece := content.read(PIECE):
            file.write(piece)
    return path


def _files(snapshot: Path, artifacts: Artifacts) -> tuple[list[str], list[str]]:
    """The hashes of the files that the snapshot refers to, and of datasets and models that are gone."""
    with closing(Database(snapshot)) as db, db.read() as cursor:
        wanted = garbage.referenced(cursor)  # among them hashes of what is kept nowhere, as of sources
        needed = {file.sha256 for model in models.list_(cursor) for file in model.files}
        needed |= {sha256 for (sha256,) in cursor.execute(PRESENT).fetchall()}
    found = [sha256 for sha256 in sorted(wanted | needed) if artifacts.has(sha256)]
    return found, sorted(needed - set(found))


def _member(name: str, content: bytes | Path) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = 0o600, int(time.time())
    info.size = len(content) if isinstance(content, bytes) else content.stat().st_size
    yield info.tobuf(tarfile.GNU_FORMAT)
    if isinstance(content, bytes):
        yield content
    else:
        yield from _read(content, info.size)
    yield bytes(-info.size % RECORD)


def _read(path: Path, size: int) -> Iterator[bytes]:
    left = size
    with path.open("rb") as file:
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
    if left:
        raise StorageError(f"{path} became shorter while it was backed up.", "Make the backup again.")


def _broken(how: str) -> BrokenFile:
    return BrokenFile(f"This is no whole backup of FlowML: {how}.", "Take another copy of it.")
