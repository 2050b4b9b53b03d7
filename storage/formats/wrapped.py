"""Files that wrap a table: gzip, Zstandard, bzip2, xz, and ZIP archives of one or more tables.

What is inside is unpacked to a file whose name we choose, and only so far as a table would: a small file that
unpacks to a huge one is refused early.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyarrow as pa

from flowml.storage.errors import BrokenFile, EmptyFile, FileTooLarge, UnknownFormat
from flowml.storage.formats.row import unknown_table

BLOCK = 1 << 20
SMALL = 64 << 20  # whatever a file unpacks to, this much is no bomb
LARGEST_RATIO = 200
MOST_MEMBERS = 10_000
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
FAULTS = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError)
DAMAGES = (*FAULTS, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)


@dataclass(frozen=True)
class Wrapper:
    """A row of WRAPPERS: one packed file."""

    label: str
    suffixes: tuple[str, ...]
    magic: bytes
    open: Callable[[Path], Any]


def _open_zstandard(path: Path) -> Any:
    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


WRAPPERS = (
    Wrapper("gzip", (".gz",), b"\x1f\x8b", gzip.GzipFile),
    Wrapper("Zstandard", (".zst",), b"\x28\xb5\x2f\xfd", _open_zstandard),
    Wrapper("bzip2", (".bz2",), b"BZh", bz2.BZ2File),
    Wrapper("xz", (".xz",), b"\xfd7zXZ\x00", lzma.LZMAFile),
)
ZIP_SUFFIX = ".zip"
SUFFIXES = (*(suffix for row in WRAPPERS for suffix in row.suffixes), ZIP_SUFFIX)


def wrapper_of(head: bytes) -> Wrapper | None:
    return next((row for row in WRAPPERS if head.startswith(row.magic)), None)


def is_zip(head: bytes) -> bool:
    return head.startswith(ZIP_MAGIC)


def bare_name(name: str) -> str:
    """What the file inside is called."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in SUFFIXES else name


def unpack(row: Wrapper, path: Path, name: str, target: Path, limit: int) -> None:
    """Raises BrokenFile, FileTooLarge."""
    try:
        with row.open(path) as packed:
            _copy(packed, target, name, _allowed(path, limit))
    except DAMAGES as error:
        raise _broken(f"The {row.label} file {name}", error) from error


def members(path: Path, name: str, suffixes: frozenset[str]) -> tuple[str, ...]:
    """The names of the tables in a ZIP archive, as it tells them; they serve as labels, never as paths."""
    return tuple(_tables(path, name, suffixes))


def unpack_member(
    path: Path, name: str, member: str, suffixes: frozenset[str], target: Path, limit: int
) -> str:
    """Unpacks one table, the first unless it is named, and says which."""
    tables = _tables(path, name, suffixes)
    if member and member not in tables:
        raise unknown_table(member, tuple(tables))
    chosen = member or next(iter(tables))
    if tables[chosen].flag_bits & 1:
        raise BrokenFile(
            f"{chosen} in {name} is protected by a password.", "Unpack it and add the file inside."
        )
    try:
        with zipfile.ZipFile(path) as archive, archive.open(tables[chosen]) as packed:
            _copy(packed, target, name, _allowed(path, limit))
    except DAMAGES as error:
        raise _broken(f"The ZIP archive {name}", error) from error
    return chosen


def _tables(path: Path, name: str, suffixes: frozenset[str]) -> dict[str, zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
    except DAMAGES as error:
        raise _broken(f"The ZIP archive {name}", error) from error
    if len(found) > MOST_MEMBERS:
        raise FileTooLarge(
            f"{name} holds {len(found):,} files, more than {MOST_MEMBERS:,}.", "Send one table."
        )
    files = [each for each in found if not each.is_dir() and not _is_litter(each.filename)]
    known = [each for each in files if PurePosixPath(each.filename).suffix.lower() in suffixes]
    chosen = known or (files if len(files) == 1 else [])
    if not files:
        raise EmptyFile(f"The ZIP archive {name} holds no file.", "Add the table itself.")
    if not chosen:
        shown = ", ".join(repr(each.filename) for each in files[:5]) + (", …" if len(files) > 5 else "")
        raise UnknownFormat(f"The ZIP archive {name} holds no table: {shown}.", "Add the table itself.")
    return {each.filename: each for each in chosen}


def _is_litter(name: str) -> bool:
    """What a Mac adds to an archive."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith(".")


def _allowed(path: Path, limit: int) -> int:
    return min(limit, max(SMALL, LARGEST_RATIO * path.stat().st_size))


def _copy(packed: IO[bytes], target: Path, name: str, allowed: int) -> None:
    size = 0
    with target.open("xb") as file:
        while block := packed.read(BLOCK):
            size += len(block)
            if size > allowed:
                raise FileTooLarge(
                    f"{name} unpacks to more than {allowed / 1e6:,.0f} MB, as a table hardly does.",
                    "If it is one, unpack it and add the file inside, or send Parquet.",
                )
            file.write(block)


def _broken(what: str, error: Exception) -> BrokenFile:
    cause = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return BrokenFile(f"{what} is cut off or damaged ({cause}).", "Copy or pack it again.")
