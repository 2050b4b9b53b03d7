"""Predicts a file in a child process of limited memory and time: what reads files of strangers may crash.

`python -m flowml.runner.scoring_child` takes one request as JSON on stdin and answers with JSON lines: now
and then how many rows are done, at last what was predicted, or compared, or what went wrong.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flowml.runner.limits import allowance
from flowml.storage.confined import answered, failure, limit, ran_out_of_memory
from flowml.storage.errors import BrokenFile, Conflict, FileTooLarge, FlowMLError, StorageError
from flowml.storage.records import DriftSummary, FileScored, Json, Record

BASE_MEMORY = 4 << 30  # address space of a process that has loaded its libraries is up to 2 GiB
MEMORY_PER_BYTE = 20  # of a file that must be read as a whole
MODEL_MEMORY = 20  # times the size of its file
SILENCE_S = 120.0  # without a piece predicted, plus what a slow machine needs to read the file as a whole:
BYTES_PER_SECOND = 2e6
TOLD_EVERY_S = 0.2
LOOK_S = 0.2
GRACE_S = 5

Told = Callable[[int, int | None], object]


@dataclass(frozen=True)
class Request(Record):
    """`name` is what the file is called, `table` one of several in it; `out` says how it is written.

    Without `out` the rows are only compared with those of the training.
    """

    model: str
    file: str
    name: str
    table: str
    out: str
    memory: int
    silence_s: float
    threads: int = 1


def score_in_child(
    model: Path,
    file: Path,
    name: str,
    out: Path,
    told: Told | None = None,
    cancelled: Callable[[], bool] | None = None,
    table: str = "",
    threads: int = 1,
) -> FileScored:
    """Writes `out`, whole or not at all. Raises the errors of reading a file, ContractError, and Conflict
    where it was cancelled.
    """
    request = _request(model, file, name, table, str(out), threads)
    return FileScored.from_dict(_ask(request, told, cancelled)["scored"])


def compare_in_child(
    model: Path, file: Path, name: str, table: str = "", told: Told | None = None
) -> DriftSummary:
    """How the rows differ from those of the training. Raises SpecError for a model that does not tell."""
    answer = _ask(_request(model, file, name, table, "", 1), told, None)
    return DriftSummary.from_dict(answer["compared"])


def _request(model: Path, file: Path, name: str, table: str, out: str, threads: int) -> Request:
    size = file.stat().st_size
    silence_s = SILENCE_S + size / BYTES_PER_SECOND
    memory = BASE_MEMORY + MODEL_MEMORY * model.stat().st_size
    memory += min(MEMORY_PER_BYTE * size, allowance().ram_total)
    return Request(str(model), str(file), name, table, out, memory, silence_s, threads)


def _ask(request: Request, told: Told | None, cancelled: Callable[[], bool] | None) -> Json:
    with subprocess.Popen(
        [sys.executable, "-m", "flowml.runner.scoring_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"POLARS_MAX_THREADS": "2", "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"},
    ) as child:
        try:
            return _answer(child, request, told, cancelled)
        finally:
            child.kill()


def _answer(
    child: subprocess.Popen[str], request: Request, told: Told | None, cancelled: Callable[[], bool] | None
) -> Json:
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    lines, words = _lines(child.stdout), _lines(child.stderr)
    child.stdin.write(json.dumps(request.to_dict()))
    child.stdin.close()
    heard_at = time.monotonic()
    while True:
        line = _next(lines)
        if line is None:
            raise _crash(request, child.wait(), words)
        if line:
            heard_at = time.monotonic()
            answer = answered(json.loads(line))
            if "done" not in answer:
                return answer
            if told is not None:
                told(answer["done"], answer["of"])
        if cancelled is not None and cancelled():
            raise Conflict("The prediction was cancelled.")
        if time.monotonic() - heard_at > request.silence_s:
            raise _too_slow(request)


def _lines(pipe: IO[str]) -> queue.SimpleQueue[str | None]:
    """What comes through a pipe line by line, read in a thread; None at its end."""
    inbox: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in pipe:
            inbox.put(line)
        inbox.put(None)

    threading.Thread(target=read, daemon=True, name="scoring child").start()
    return inbox


def _next(lines: queue.SimpleQueue[str | None]) -> str | None:
    """The next line; '' if there was none for a moment."""
    try:
        return lines.get(timeout=LOOK_S)
    except queue.Empty:
        return ""


def _crash(request: Request, status: int, words: queue.SimpleQueue[str | None]) -> FlowMLError:
    said = [line for line in iter(words.get, None) if line is not None]
    if status == -signal.SIGALRM:
        return _too_slow(request)
    if ran_out_of_memory(status, "\n".join(said)):
        return FileTooLarge(
            f"{request.name} needs more than {request.memory >> 20:,} MB of memory to be read.",
            "Save it as Parquet or CSV, which are read piece by piece.",
        )
    last = said[-1].strip() if said else f"status {status}"
    return BrokenFile(f"{request.name} made the process that read it end early ({last}).", "Export it again.")


def _too_slow(request: Request) -> FileTooLarge:
    return FileTooLarge(
        f"Nothing of {request.name} was read for {request.silence_s:,.0f} seconds.", "Split the file."
    )


# --- the child's side -------------------------------------------------------------------------------------


def main() -> None:
    request = Request.from_dict(json.load(sys.stdin))
    limit(request.silence_s + GRACE_S, AS=request.memory)
    _say(_score(request))
    os._exit(0)  # tearing down the libraries would take longer than it is worth


def _say(answer: Json) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _score(request: Request) -> Json:
    from flowml.automl.serve import Predictor
    from flowml.runner.scoring import compare_file, score_and_compare

    last = time.monotonic()

    def told(done: int, of: int | None) -> None:
        nonlocal last
        signal.alarm(int(request.silence_s) + GRACE_S)
        if time.monotonic() - last > TOLD_EVERY_S:
            last = time.monotonic()
            _say({"done": done, "of": of})

    try:
        predictor = Predictor(request.model, request.threads)
        file, name, table = Path(request.file), request.name, request.table
        if not request.out:
            return {"compared": compare_file(predictor, file, name, told, table).to_dict()}
        return {"scored": score_and_compare(predictor, file, name, Path(request.out), told, table).to_dict()}
    except FlowMLError as error:
        return failure(error)
    except OSError as error:
        return failure(StorageError(f"{request.name} could not be read: {error.strerror}."))


if __name__ == "__main__":
    main()
