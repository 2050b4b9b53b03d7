"""Uploads on their way in: streamed to a file of the data folder, never held in memory, gone unless used."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO

from anyio import to_thread
from starlette.requests import Request

from flowml.storage.errors import FileTooLarge, InputError, StorageError
from flowml.ui import words
from flowml.ui.api.multipart import FormReader

SUFFIX = ".part"
WRITE_BYTES, WRITE_CHUNKS = 2**20, 2**12  # gathered before each hop to a thread
FORM_BYTES = 2**16  # of a form beside its file


class Spool:
    """One file being received, at most `limit` bytes. A `sha256` that is told is compared at the end."""

    def __init__(self, path: Path, file: BinaryIO, limit: int, sha256: str = "") -> None:
        self.path = path
        self._file = file
        self._limit = limit
        self._told = sha256.lower()
        self._digest = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._gathered = 0
        self.size = 0

    async def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self._limit:
            raise too_large(self._limit)
        self._waiting.append(chunk)
        self._gathered += len(chunk)
        if self._gathered >= WRITE_BYTES or len(self._waiting) >= WRITE_CHUNKS:
            await self.flush()

    async def flush(self) -> None:
        waiting, self._waiting, self._gathered = self._waiting, [], 0
        try:
            await to_thread.run_sync(self._write, waiting)
        except OSError as error:
            raise StorageError(
                f"The upload cannot be written to {self.path.parent}: {error.strerror}.",
                "Make room on that disk, or set FLOWML_UPLOAD_FOLDER to another.",
            ) from error

    def _write(self, chunks: Sequence[bytes]) -> None:
        piece = b"".join(chunks)
        if self._told:
            self._digest.update(piece)
        rest = memoryview(piece)
        while rest:  # a disk that is nearly full takes a part of it
            rest = rest[self._file.write(rest) :]

    def compare(self) -> None:
        """Raises InputError where what was written has another checksum than was told."""
        if self._told and self._digest.hexdigest() != self._told:
            raise InputError(
                f"What came has the SHA-256 {self._digest.hexdigest()}, not {self._told} as was told.",
                "Send it again.",
            )


@contextlib.asynccontextmanager
async def spool(folder: Path, limit: int, sha256: str = "") -> AsyncIterator[Spool]:
    """A new file in `folder`, deleted at the end whatever happens."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{secrets.token_hex(16)}{SUFFIX}"
    try:
        with path.open("xb", buffering=0) as file:
            yield Spool(path, file, limit, sha256)
    finally:
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Delete what a studio that was killed left of its uploads."""
    for path in folder.glob(f"*{SUFFIX}"):
        path.unlink(missing_ok=True)


async def receive_body(request: Request, into: Spool, limit: int) -> None:
    """The whole body as the file."""
    refuse_early(request, limit)
    async for chunk in request.stream():
        await into.write(chunk)
    await into.flush()
    into.compare()


async def receive_form(request: Request, into: Spool, limit: int) -> FormReader:
    """The part `file` of a multipart form as the file; its other fields are in the reader."""
    refuse_early(request, limit + FORM_BYTES)
    reader = FormReader(request.headers.get("content-type", ""), FORM_BYTES)
    async for chunk in request.stream():
        for part in reader.feed(chunk):
            await into.write(part)
    reader.close()
    await into.flush()
    if reader.file_name is None:
        raise InputError(
            "The form has no part 'file' with a file name.", "Send the table as the part 'file'."
        )
    return reader


def refuse_early(request: Request, limit: int) -> None:
    """Refuse a body that says itself to be too long, before a byte of it is read."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise too_large(limit)


def too_large(limit: int) -> FileTooLarge:
    return FileTooLarge(
        f"The file is larger than {words.size(limit)}, the most that this studio takes.",
        "Send a smaller file (Parquet is smaller than CSV), or raise FLOWML_UPLOAD_LIMIT.",
    )
