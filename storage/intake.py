"""Turns a file of any format into canonical Parquet, in a child process of limited memory and time.

The child reads what strangers made: if the file is hostile or broken, the child ends and the studio stays,
whose memory never grows with the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from flowml.storage.confined import answered, ran_out_of_memory
from flowml.storage.errors import (
    BrokenFile,
    EmptyFile,
    FileTooLarge,
    FlowMLError,
    NotFound,
    StorageError,
)
from flowml.storage.programs import Process, Program, start
from flowml.storage.records import DatasetSchema, Finding, Json, Record

MEMORY = 512 << 20  # bytes that the child may fill, before what the file's size adds
MEMORY_PER_BYTE = 20
WATCH_S = 0.02
HOLDERS = (b"PK", b"\xd0\xcf\x11\xe0", b"SQLite", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ")
BASE_SECONDS = 60.0
BYTES_PER_SECOND = 2e6  # of a slow machine
MOST_THREADS = 8
QUIET = {"RUST_BACKTRACE": "0", "ARROW_DEFAULT_MEMORY_POOL": "system"}
FORKED_UP_TO = 32 << 20  # bytes of a file: only a process that starts afresh heeds what follows
# Readers of text set aside a whole block for each column. What is large must go back to the system at once,
# or a hundred columns fill the address space with holes.
FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": str(1 << 16)}


@dataclass(frozen=True)
class Intake(Record):
    """What was made of a file."""

    format: str
    schema: DatasetSchema
    rows: int
    size: int  # of the Parquet file
    findings: tuple[Finding, ...] = ()
    table: str = ""  # the sheet, table or member that was read, where the file could hold several


@dataclass(frozen=True)
class Request(Record):
    """What the child is asked. It writes into `folder` only, and `target` if that is asked for."""

    source: str
    name: str
    folder: str
    memory: int
    timeout_s: float
    limit: int  # of bytes that the file may unpack to
    target: str = ""  # none: only the names of its tables are asked for
    table: str = ""
    coming: int = 0  # bytes of a file that is still received: how many have come is told line by line


def convert(
    source: Path,
    name: str,
    target: Path,
    limit_bytes: int,
    timeout_s: float | None = None,
    table: str = "",
    memory: int = MEMORY,
) -> Intake:
    """Writes `target`, one Parquet file. `name` is what the file is called, in messages and as a hint.

    `table` names a sheet, a table of a database or a member of an archive; else the first is read. Without
    `timeout_s` the time that may pass follows from the size. Raises EmptyFile, UnknownFormat, BrokenFile,
    UnknownTable, FileTooLarge, and StorageError where the disk refuses.
    """
    return Intake.from_dict(
        _answered(source, name, target.parent, limit_bytes, timeout_s, memory, str(target), table)
    )


def tables(source: Path, name: str, folder: Path, limit_bytes: int, memory: int = MEMORY) -> tuple[str, ...]:
    """The sheets, tables or members to choose from; empty where the file holds one table."""
    with source.open("rb") as file:
        head = file.read(16)
    if not head.startswith(HOLDERS) and b"DUCK" not in head:
        return ()  # no process is needed to tell
    return tuple(_answered(source, name, folder, limit_bytes, None, memory)["tables"])


def _answered(
    source: Path,
    name: str,
    folder: Path,
    limit_bytes: int,
    timeout_s: float | None,
    memory: int,
    target: str = "",
    table: str = "",
) -> Json:
    size = _size(source, name)
    if size > limit_bytes:
        raise FileTooLarge(
            f"{name} has {size_in_words(size)}, more than the limit of {size_in_words(limit_bytes)}.",
            "Send a smaller file (Parquet is smaller than CSV), or raise FLOWML_UPLOAD_LIMIT.",
        )
    with tempfile.TemporaryDirectory(prefix="reading-", dir=folder) as work:
        request = request_for(source, name, Path(work), size, limit_bytes, memory, target, table, timeout_s)
        return answered(_ask_child(request))


def request_for(
    source: Path,
    name: str,
    work: Path,
    size: int,
    limit_bytes: int,
    memory: int,
    target: str = "",
    table: str = "",
    timeout_s: float | None = None,
    coming: int = 0,
) -> Request:
    """With the memory and time that follow from the size."""
    seconds = timeout_s or BASE_SECONDS + size / BYTES_PER_SECOND
    return Request(
        str(source.resolve()),
        name,
        str(work),
        _memory_for(size, memory),
        seconds,
        limit_bytes,
        target,
        table,
        coming,
    )


def _size(source: Path, name: str) -> int:
    try:
        size = source.stat().st_size
    except OSError as error:
        raise NotFound(f"There is no file {name}: {error.strerror}.", "Check the path.") from error
    if not size:
        raise EmptyFile(f"{name} is empty: it has no bytes.", "Add a file with a header line and rows.")
    return size


def _memory_for(size: int, base: int) -> int:
    """Enough for the widest of text, and never more than the machine has above the base."""
    return base + min(MEMORY_PER_BYTE * size, int(psutil.virtual_memory().total))


# --- the studio's side ------------------------------------------------------------------------------------


def _ask_child(request: Request) -> Json:
    return Reader(request).answer()


class Reader:
    """The child at work on a request. Raises StorageError where none can be started."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._files = contextlib.ExitStack()
        self._said, self._words = self._file(), self._file()
        asked, asking = os.pipe()
        self._asking = os.fdopen(asking, "w", encoding="utf-8")
        try:
            self._child = start(_program(request), (asked, self._said.fileno(), self._words.fileno()))
        except OSError as error:
            self._close()
            raise StorageError(
                f"No process could be started to read {request.name}: {error.strerror}."
            ) from error
        finally:
            os.close(asked)
        self._watch = _MemoryWatch(self._child, request.memory)
        self.tell(json.dumps(request.to_dict()))

    def _file(self) -> IO[bytes]:
        return self._files.enter_context(tempfile.TemporaryFile())

    def tell(self, line: str) -> None:
        """A child that has ended hears nothing."""
        with contextlib.suppress(OSError, ValueError):
            self._asking.write(f"{line}\n")
            self._asking.flush()

    def answer(self) -> Json:
        """Waits for it, at most as long as the request allows. Raises what kept the child from reading."""
        request = self._request
        try:
            self._hush()
            status = self._child.wait(request.timeout_s)
            said, words = _whole(self._said), _whole(self._words)
        except subprocess.TimeoutExpired as error:
            raise too_slow(request) from error
        finally:
            self.end()
        if self._watch.exceeded:
            raise too_hungry(request)
        if status == 0 and said:
            return dict(json.loads(said))
        raise crash(request, status, words)

    def kill(self) -> None:
        """Its answer then tells so."""
        self._child.kill()

    def end(self) -> None:
        """To end it twice is no error."""
        self.kill()
        self._child.wait()
        self._watch.end()
        self._close()

    def _close(self) -> None:
        self._hush()
        self._files.close()

    def _hush(self) -> None:
        """It is told no more."""
        with contextlib.suppress(OSError):  # of what it has not read
            self._asking.close()


def _whole(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


class _MemoryWatch:
    """Ends a process that fills more memory than it may: limits of the system count what is only reserved."""

    def __init__(self, child: Process, limit: int) -> None:
        self.exceeded = False
        self._child = child
        self._limit = limit
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        try:
            process = psutil.Process(self._child.pid)
            while not self._over.wait(WATCH_S):
                if filled(process) > self._limit:
                    self.exceeded = True
                    self._child.kill()
                    return
        except psutil.Error:  # it has ended
            return


def filled(process: psutil.Process) -> int:
    """Bytes of memory that a process alone fills: not the pages of files, which go when they must."""
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def _program(request: Request) -> Program:
    large = Path(request.source).stat().st_size > FORKED_UP_TO
    return Program("flowml.storage.reader", environ=_environment(request), fresh=large or request.coming > 0)


def _environment(request: Request) -> dict[str, str]:
    """Few threads: each takes memory, which is limited. What libraries put aside goes into its folder."""
    threads = str(min(MOST_THREADS, os.cpu_count() or 1))
    limits = {"POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads, **FRUGAL}
    folders = {"TMPDIR": request.folder, "POLARS_TEMP_DIR": request.folder}
    return {**limits, **folders, **QUIET, "PYTHONIOENCODING": "utf-8"}


def too_slow(request: Request) -> FileTooLarge:
    seconds = request.timeout_s if request.timeout_s < 1 else round(request.timeout_s)
    return FileTooLarge(
        f"{request.name} could not be read within {seconds:g} seconds.",
        "Split it or save it as Parquet, which reads fastest.",
    )


def too_hungry(request: Request) -> FileTooLarge:
    return FileTooLarge(
        f"{request.name} needs more than {request.memory >> 20:,} MB of memory to be read.",
        "Split it, save it as Parquet, which needs least, or raise FLOWML_READ_MEMORY.",
    )


def crash(request: Request, status: int, words: str) -> FlowMLError:
    if status == -signal.SIGALRM:
        return too_slow(request)
    if ran_out_of_memory(status, words):
        return too_hungry(request)
    if status < 0:
        return BrokenFile(
            f"{request.name} crashed its reader ({signal.Signals(-status).name}); it is broken or hostile.",
            "Export the file again.",
        )
    last = words.strip().splitlines()[-1:] or [f"status {status}"]
    return BrokenFile(f"{request.name} made the reader end early ({last[0]}).", "Export the file again.")


def size_in_words(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
