"""Runs one of our own works in a child process of limited memory and time, away from the studio.

`run` is called in the studio; `python -m flowml.storage.apart WORK` is the child, which takes its request as
JSON from stdin and answers with JSON. Errors of our tree come back as themselves.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from flowml.storage.errors import DataError, FlowMLError, StorageError, error_of
from flowml.storage.records import Json

log = logging.getLogger(__name__)

# What may be run apart: a function that takes and gives JSON, in its module.
WORKS: dict[str, str] = {
    "profile": "flowml.storage.profile:work",
    "associations": "flowml.storage.relations:work",
    "difference": "flowml.storage.difference:work",
    "preview": "flowml.storage.query:preview_work",
    "derive": "flowml.storage.query:derive_work",
}
MEMORY = 6 << 30  # of address space, of which libraries reserve most and use little
MOST_THREADS = 8
OUT_OF_MEMORY = ("memory allocation of", "MemoryError", "bad_alloc", "Resource temporarily unavailable")


def run(work: str, request: Json, timeout_s: float, folder: Path | None = None) -> Json:
    """The answer of the work. It may leave files only in a folder of its own inside `folder`, then removed.

    Raises what the work raised, and DataError where it took too long or too much memory.
    """
    with tempfile.TemporaryDirectory(prefix="apart-", dir=folder) as place:
        try:
            child = subprocess.run(
                [sys.executable, "-m", "flowml.storage.apart", work, str(int(timeout_s) + 5)],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                encoding="utf-8",
                cwd=place,
                env=_environment(place),
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _too_slow(timeout_s) from error
        except OSError as error:
            raise StorageError(f"No process could be started: {error.strerror}.") from error
    return _answer(child.returncode, child.stdout, child.stderr, timeout_s)


def _answer(status: int, said: str, complained: str, timeout_s: float) -> Json:
    if status == 0 and said:
        answer = dict(json.loads(said))
        if "error" in answer:
            raise error_of(**answer["error"])
        return answer
    if status == -signal.SIGALRM:
        raise _too_slow(timeout_s)
    if status == -signal.SIGKILL or any(sign in complained for sign in OUT_OF_MEMORY):
        raise _too_large()
    log.error("A work on a table ended with status %s: %s", status, complained.strip())
    last = complained.strip().splitlines()[-1:] or [f"status {status}"]
    raise StorageError(f"The work on the table ended early ({last[0]}).", "The log has the whole story.")


def _too_slow(timeout_s: float) -> DataError:
    return DataError(f"It took longer than {timeout_s:.0f} s.", "Ask for less: fewer rows or columns.")


def _too_large() -> DataError:
    return DataError(
        "It needs more memory than it may take.", "Ask for less: fewer rows or columns, or no sorting."
    )


def _environment(place: str) -> dict[str, str]:
    threads = str(min(MOST_THREADS, os.cpu_count() or 1))
    limits = {"POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads, "MALLOC_ARENA_MAX": "2"}
    return {**os.environ, **limits, "PYTHONIOENCODING": "utf-8", "TMPDIR": place}


# --- the child's side -------------------------------------------------------------------------------------


def main() -> None:
    name, seconds = sys.argv[1], int(sys.argv[2])
    request = dict(json.load(sys.stdin))
    _limit(seconds)
    sys.stdout.write(json.dumps(_work(name, request), allow_nan=False))
    sys.stdout.flush()
    os._exit(0)  # an orderly exit waits for the threads of libraries


def _limit(seconds: int) -> None:
    signal.alarm(seconds)  # for the case that the studio went away
    if sys.platform == "linux":  # elsewhere the limit is refused or ignored
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _work(name: str, request: Json) -> Json:
    try:
        return _function(name)(request)
    except FlowMLError as error:
        return _error(error)
    except MemoryError:
        return _error(_too_large())


def _error(error: FlowMLError) -> Json:
    return {"error": {"code": error.code, "message": error.message, "advice": error.advice}}


def _function(name: str) -> Callable[[Json], Json]:
    module, _, function = WORKS[name].partition(":")
    found: Callable[[Json], Json] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    main()
