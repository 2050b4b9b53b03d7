"""Tables on their way in: uploads in parts, which go on after a cut, and files of this machine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flowml.runner.rights import right
from flowml.runner.tables import Tables
from flowml.storage.datasets import file_name
from flowml.storage.errors import (
    Conflict,
    EmptyFile,
    FileError,
    FileTooLarge,
    FlowMLError,
    InputError,
    NotAllowed,
    NotFound,
    UnknownTable,
)
from flowml.storage.formats import TABLES_OR_WRAPPED
from flowml.storage.intake import size_in_words
from flowml.storage.records import Dataset, Record, Scope

EXPIRES_S = 24 * 3600.0  # after the last byte came
CONTENT, ABOUT = ".upload", ".upload.json"
MOST_FILES = 1000  # of a folder


@dataclass(frozen=True)
class Upload(Record):
    """A file that comes in parts, one after the other."""

    id: str
    name: str
    size: int
    owner: str
    received: int = 0
    expires_at: float = 0.0


@dataclass(frozen=True)
class Registered:
    """What became of one file of a folder: a dataset, or why not."""

    path: str
    dataset: Dataset | None = None
    error: FlowMLError | None = None


class Incoming(Tables):
    @right(Scope.WRITE)
    def begin_upload(self, name: str, size: int) -> Upload:
        """Raises EmptyFile, FileTooLarge."""
        self._sweep_uploads()
        limit = self._settings.upload_limit
        if size < 1:
            raise EmptyFile(f"{name} is empty: it has no bytes.", "Send a file with a header line and rows.")
        if size > limit:
            raise FileTooLarge(
                f"{name} has {size_in_words(size)}, more than the limit of {size_in_words(limit)}.",
                "Send a smaller file (Parquet is smaller than CSV), or raise FLOWML_UPLOAD_LIMIT.",
            )
        upload = Upload(secrets.token_hex(16), file_name(name), size, self._owner)
        self._settings.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._content(upload.id).touch(mode=0o600, exist_ok=False)
        self._about(upload.id).write_text(json.dumps(upload.to_dict()), "utf-8")
        return self.upload(upload.id)

    @right(Scope.WRITE)
    def upload(self, id: str) -> Upload:
        """How far it is. Raises NotFound, also for one of somebody else."""
        try:
            about = json.loads(self._about(id).read_text("utf-8"))
            came = self._content(id).stat()
        except FileNotFoundError as gone:
            raise _unknown(id) from gone
        if about["owner"] != self._owner:
            raise _unknown(id)
        return Upload.from_dict({**about, "received": came.st_size, "expires_at": came.st_mtime + EXPIRES_S})

    @right(Scope.WRITE)
    def upload_path(self, id: str) -> Path:
        """Where its bytes go."""
        return self._content(self.upload(id).id)

    @right(Scope.WRITE)
    def part_came(self, id: str, first: int) -> Upload:
        """Bytes from `first` on have come and are kept: large text is read meanwhile."""
        upload = self.upload(id)
        self._datasets.arrive(self._content(id), upload.name, upload.size, first, upload.received)
        return upload

    @right(Scope.WRITE)
    def tables_of_upload(self, id: str) -> tuple[str, ...]:
        """The sheets, tables or members to choose from once all has come."""
        upload = self._whole(id)
        return self._datasets.tables(self._content(id), upload.name)

    @right(Scope.WRITE)
    def finish_upload(
        self, id: str, name: str = "", table: str = "", sha256: str = "", project: str | None = None
    ) -> Dataset:
        """Reads what came as a table. It stays only where another table of it may be asked for.

        Raises Conflict while bytes are missing, InputError where the checksum differs, and what
        `add_dataset` raises.
        """
        upload = self._whole(id)
        if sha256 and (found := _digest(self._content(id))) != sha256.lower():
            self.drop_upload(id)
            raise InputError(
                f"{upload.name} came with another content: its SHA-256 is {found}, not {sha256}.",
                "Send it again.",
            )
        try:
            added = self.add_dataset(self._content(id), name or upload.name, upload.name, project, table)
        except UnknownTable:
            raise
        except FileError:
            self.drop_upload(id)
            raise
        self.drop_upload(id)
        return added

    @right(Scope.WRITE)
    def drop_upload(self, id: str) -> None:
        self._forget_upload(self.upload(id).id)

    @right(Scope.WRITE, "dataset.register")
    def register(self, path: str, name: str = "", table: str = "") -> tuple[Registered, ...]:
        """Adds a file of this machine, or each table of a folder. Raises NotAllowed outside the roots that
        the administrator lists, and what `add_dataset` raises for a single file.
        """
        found = self._within_roots(path)
        if found.is_file():
            added = self.add_dataset(found, name or found.name, found.name, table=table)
            return (Registered(str(found), added),)
        return tuple(self._register_one(each) for each in _files(found))

    def _register_one(self, path: Path) -> Registered:
        try:
            return Registered(str(path), self.add_dataset(path, path.name, path.name))
        except FileError as error:
            return Registered(str(path), error=error)

    def _within_roots(self, path: str) -> Path:
        roots = [Path(root).resolve() for root in self._settings.data_roots]
        if not roots:
            raise NotAllowed(
                "Files of this machine cannot be added here.",
                "An administrator may list their folders in FLOWML_DATA_ROOTS.",
            )
        try:
            found = Path(path).resolve(strict=True)
        except (OSError, ValueError):
            found = Path()
        if not any(found.is_relative_to(root) for root in roots):
            shown = ", ".join(map(str, roots))
            raise NotAllowed(f"{path!r} is nothing below the listed folders.", f"They are: {shown}.")
        return found

    def _whole(self, id: str) -> Upload:
        upload = self.upload(id)
        if upload.received != upload.size:
            raise Conflict(
                f"{upload.received:,} of {upload.size:,} bytes of {upload.name} have come.",
                "Send the rest, then finish.",
            )
        return upload

    def _content(self, id: str) -> Path:
        return self._settings.uploads / f"{_checked(id)}{CONTENT}"

    def _about(self, id: str) -> Path:
        return self._settings.uploads / f"{_checked(id)}{ABOUT}"

    def _forget_upload(self, id: str) -> None:
        self._datasets.forget(self._content(id))
        for path in (self._content(id), self._about(id)):
            path.unlink(missing_ok=True)

    def _sweep_uploads(self) -> None:
        """Removes those that nobody sent on for a day."""
        for path in self._settings.uploads.glob(f"*{CONTENT}"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - EXPIRES_S:
                    self._forget_upload(path.name.removesuffix(CONTENT))


def _files(folder: Path) -> Iterator[Path]:
    files = [each for each in sorted(folder.iterdir()) if each.is_file()]
    tables = [each for each in files if each.suffix.lower() in TABLES_OR_WRAPPED]
    if not tables:
        raise NotFound(f"The folder {folder} holds no table.", "Name a file, or another folder.")
    if len(tables) > MOST_FILES:
        raise FileTooLarge(f"The folder {folder} holds {len(tables):,} tables.", f"At most {MOST_FILES:,}.")
    return iter([each for each in tables if each.resolve().parent == folder])  # no link out of it


def _checked(id: str) -> str:
    if len(id) != 32 or not set(id) <= set("0123456789abcdef"):
        raise _unknown(id)
    return id


def _unknown(id: str) -> NotFound:
    return NotFound(f"There is no upload {id[:40]!r}.", "It may have expired; begin again.")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
