"""Turns a file of any format into canonical Parquet, in a child process of limited memory and time.

The child reads what strangers made: if the file is hostile or broken, the child ends and the studio stays,
whose memory never grows with the file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from flowml.storage import formats, schema
from flowml.storage.canonical import settle
from flowml.storage.errors import (
    BrokenFile,
    EmptyFile,
    FileTooLarge,
    FlowMLError,
    NotFound,
    StorageError,
    error_of,
)
from flowml.storage.records import DatasetSchema, Finding, Json, Record

BASE_MEMORY = 4 << 30  # address space of the child before it reads anything is up to 2 GiB
MEMORY_PER_BYTE = 20
BASE_SECONDS = 60.0
BYTES_PER_SECOND = 2e6  # of a slow machine
MOST_THREADS = 8
OUT_OF_MEMORY = (
    "memory allocation of",
    "MemoryError",
    "bad_alloc",
    "Resource temporarily unavailable",
    "failed to map segment",
)


@dataclass(frozen=True)
class Intake(Record):
    """What was made of a file."""

    format: str
    schema: DatasetSchema
    rows: int
    size: int  # of the Parquet file
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Request(Record):
    """What the child is asked."""

    source: str
    name: str
    target: str
    memory: int
    timeout_s: float


def convert(
    source: Path, name: str, target: Path, limit_bytes: int, timeout_s: float | None = None
) -> Intake:
    """Writes `target`, one Parquet file. `name` is what the file is called, in messages and as a hint.

    Without `timeout_s` the time that may pass follows from the size. Raises EmptyFile, UnknownFormat,
    BrokenFile, FileTooLarge, and StorageError where the disk refuses.
    """
    size = _size(source, name)
    if size > limit_bytes:
        raise FileTooLarge(
            f"{name} has {size_in_words(size)}, more than the limit of {size_in_words(limit_bytes)}.",
            "Send a smaller file (Parquet is smaller than CSV), or raise FLOWML_UPLOAD_LIMIT.",
        )
    seconds = timeout_s or BASE_SECONDS + size / BYTES_PER_SECOND
    request = Request(str(source), name, str(target), _memory_for(size), seconds)
    answer = _ask_child(request)
    if "error" in answer:
        raise error_of(**answer["error"])
    return Intake.from_dict(answer)


def _size(source: Path, name: str) -> int:
    try:
        size = source.stat().st_size
    except OSError as error:
        raise NotFound(f"There is no file {name}: {error.strerror}.", "Check the path.") from error
    if not size:
        raise EmptyFile(f"{name} is empty: it has no bytes.", "Add a file with a header line and rows.")
    return size


def _memory_for(size: int) -> int:
    """Enough for the widest of text, and never more than the machine has above the base."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return BASE_MEMORY + min(MEMORY_PER_BYTE * size, installed)


# --- the studio's side ------------------------------------------------------------------------------------


def _ask_child(request: Request) -> Json:
    try:
        child = subprocess.run(
            [sys.executable, "-m", "flowml.storage.intake"],
            input=json.dumps(request.to_dict()),
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=_environment(),
            timeout=request.timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_slow(request) from error
    except OSError as error:
        raise StorageError(
            f"No process could be started to read {request.name}: {error.strerror}."
        ) from error
    if child.returncode == 0 and child.stdout:
        return dict(json.loads(child.stdout))
    raise _crash(request, child.returncode, child.stderr)


def _environment() -> dict[str, str]:
    """Few threads: each takes address space, which is limited."""
    threads = str(min(MOST_THREADS, os.cpu_count() or 1))
    limits = {"POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads, "MALLOC_ARENA_MAX": "2"}
    return {**os.environ, **limits, "PYTHONIOENCODING": "utf-8"}


def _too_slow(request: Request) -> FileTooLarge:
    return FileTooLarge(
        f"{request.name} could not be read within {request.timeout_s:g} seconds.",
        "Split it or save it as Parquet, which reads fastest.",
    )


def _crash(request: Request, status: int, words: str) -> FlowMLError:
    if status == -signal.SIGALRM:
        return _too_slow(request)
    if status == -signal.SIGKILL or any(sign in words for sign in OUT_OF_MEMORY):
        return FileTooLarge(
            f"{request.name} needs more than {request.memory >> 20:,} MB of memory to be read.",
            "Split it or save it as Parquet, which needs least.",
        )
    last = words.strip().splitlines()[-1:] or [f"status {status}"]
    return BrokenFile(f"{request.name} made the reader end early ({last[0]}).", "Export the file again.")


def size_in_words(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


# --- the child's side -------------------------------------------------------------------------------------


def main() -> None:
    request = Request.from_dict(json.load(sys.stdin))
    _limit(request)
    sys.stdout.write(json.dumps(_answer(request)))
    sys.stdout.flush()
    os._exit(0)  # threads of a reader that was refused half-way may abort an orderly exit


def _limit(request: Request) -> None:
    signal.alarm(int(request.timeout_s) + 5)  # for the case that the studio went away
    if sys.platform == "linux":  # elsewhere the limit is refused or ignored
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (request.memory, request.memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(request: Request) -> Json:
    try:
        return _read(request).to_dict()
    except FlowMLError as error:
        return _error(error)
    except MemoryError:
        return _error(_crash(request, -signal.SIGKILL, ""))
    except OSError as error:
        return _error(StorageError(f"{request.name} could not be read or kept: {error.strerror}."))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic inside a reader is no Exception
        if any(sign in str(error) for sign in OUT_OF_MEMORY):  # of a thread that could not be started, say
            return _error(_crash(request, -signal.SIGKILL, ""))
        return _error(BrokenFile(f"{request.name} cannot be read: {error}.", "Export the file again."))


def _read(request: Request) -> Intake:
    source, target = Path(request.source), Path(request.target)
    row = formats.recognise(source, request.name)
    table = settle(row.read(source))
    table.frame.write_parquet(target, compression="zstd")
    described = schema.infer(table.frame, table.notes, table.written)
    return Intake(row.key, described, table.frame.height, target.stat().st_size, table.findings)


def _error(error: FlowMLError) -> Json:
    return {"error": {"code": error.code, "message": error.message, "advice": error.advice}}


if __name__ == "__main__":
    main()
