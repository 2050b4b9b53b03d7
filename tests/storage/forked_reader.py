"""Reads many files as the reader does, each in a process of its own with the reader's limits.

The libraries are imported once and each file gets a fork, so that hundreds take seconds. Requests and answers
are lines of JSON; an answer tells the processor seconds and the most memory that the file took.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import fastavro  # noqa: F401
import fastexcel  # noqa: F401
import psutil
from pyarrow import orc  # noqa: F401

from flowml.storage import intake, reader
from flowml.storage.errors import FlowMLError
from flowml.storage.intake import Request, filled
from flowml.storage.records import Json

WORDS = "words"  # what a reader says on stderr


def serve() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(Request.from_dict(json.loads(line)))) + "\n")
        sys.stdout.flush()


def answer(request: Request) -> Json:
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        _be_the_reader(request, into)
    os.close(into)
    said: list[bytes] = []
    reading = threading.Thread(target=_read, args=(out, said))
    reading.start()
    peak, exceeded = _watch(pid, request)
    reading.join()
    _, status, used = os.wait4(pid, 0)
    facts = {"seconds": used.ru_utime + used.ru_stime, "peak": peak}
    if said[0]:
        return {**json.loads(said[0]), **facts}
    words = (Path(request.folder) / WORDS).read_text(errors="replace")
    failed: FlowMLError = intake.crash(request, os.waitstatus_to_exitcode(status), words)
    if exceeded:
        failed = intake.too_hungry(request)
    return {"error": {"code": failed.code, "message": failed.message, "advice": failed.advice}, **facts}


def _read(out: int, said: list[bytes]) -> None:
    """An answer may be longer than a pipe holds."""
    with os.fdopen(out, "rb") as pipe:
        said.append(pipe.read())


def _be_the_reader(request: Request, into: int) -> None:
    os.environ["TMPDIR"] = os.environ["POLARS_TEMP_DIR"] = request.folder
    os.dup2(os.open(Path(request.folder) / WORDS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    reader._limit(request)
    try:
        with os.fdopen(into, "wb") as pipe:
            pipe.write(json.dumps(reader._answer(request)).encode())
    finally:
        os._exit(0)


def _watch(pid: int, request: Request) -> tuple[int, bool]:
    peak, until = 0, time.monotonic() + request.timeout_s
    process = psutil.Process(pid)
    while process.status() != psutil.STATUS_ZOMBIE:
        peak = max(peak, filled(process))
        if peak > request.memory or time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            return peak, peak > request.memory
        time.sleep(0.005)
    return peak, False


if __name__ == "__main__":
    serve()
