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
import time
from collections.abc import Callable
from pathlib import Path

from flowml.storage.confined import answered, failure, limit, ran_out_of_memory
from flowml.storage.errors import DataError, FlowMLError, StorageError
from flowml.storage.programs import Program, start
from flowml.storage.records import Json

log = logging.getLogger(__name__)

# What may be run apart: a function that takes and gives JSON, in its module.
WORKS: dict[str, str] = {
    "profile": "flowml.storage.profile:work",
    "associations": "flowml.storage.relations:work",
    "check": "flowml.storage.check:work",
    "difference": "flowml.storage.difference:work",
    "preview": "flowml.storage.query:preview_work",
    "derive": "flowml.storage.query:derive_work",
    "export": "flowml.storage.exports:work",
}
MEMORY = 6 << 30  # of address space, of which libraries reserve most and use little
MOST_THREADS = 8


def run(work: str, request: Json, timeout_s: float, folder: Path | None = None) -> Json:
    """The answer of the work. Raises what the work raised, and DataError where it took too much.

    Whatever it leaves behind lies in a folder of its own inside `folder`, and is removed.
    """
    with Running(work, request, timeout_s, folder) as running:
        return running.result()


class Running:
    """A work that is under way."""

    def __init__(self, work: str, request: Json, timeout_s: float, folder: Path | None = None) -> None:
        self._timeout_s = timeout_s
        self._until = time.monotonic() + timeout_s
        self._place = tempfile.TemporaryDirectory(prefix="apart-", dir=folder)
        place = Path(self._place.name)
        self._said, self._complained = place / "said", place / "complained"
        (place / "asked").write_text(json.dumps(request), "utf-8")
        arguments = (work, str(int(timeout_s) + 5))
        program = Program("flowml.storage.apart", arguments, _environment(place), place)
        try:
            with (
                (place / "asked").open("rb") as asked,
                self._said.open("wb") as said,
                self._complained.open("wb") as complained,
            ):
                self._child = start(program, (asked.fileno(), said.fileno(), complained.fileno()))
        except OSError as error:
            self._place.cleanup()
            raise StorageError(f"No process could be started: {error.strerror}.") from error

    def over(self) -> bool:
        """Whether there is a result, if only that the time was over."""
        return self._child.poll() is not None or time.monotonic() > self._until

    def result(self) -> Json:
        """Waits for it."""
        try:
            status = self._child.wait(max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise _too_slow(self._timeout_s) from error
        said, complained = (path.read_text("utf-8", "replace") for path in (self._said, self._complained))
        return _answer(status, said, complained, self._timeout_s)

    def close(self) -> None:
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._place.cleanup()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _answer(status: int, said: str, complained: str, timeout_s: float) -> Json:
    if status == 0 and said:
        return answered(json.loads(said))
    if status == -signal.SIGALRM:
        raise _too_slow(timeout_s)
    if ran_out_of_memory(status, complained):
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


def _environment(place: Path) -> dict[str, str]:
    threads = str(min(MOST_THREADS, os.cpu_count() or 1))
    limits = {"POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads, "MALLOC_ARENA_MAX": "2"}
    return {**limits, "PYTHONIOENCODING": "utf-8", "TMPDIR": str(place)}


# --- the child's side -------------------------------------------------------------------------------------


def main() -> None:
    name, seconds = sys.argv[1], int(sys.argv[2])
    request = dict(json.load(sys.stdin))
    limit(seconds, AS=MEMORY)
    sys.stdout.write(json.dumps(_work(name, request), allow_nan=False))
    sys.stdout.flush()
    os._exit(0)  # an orderly exit waits for the threads of libraries


def _work(name: str, request: Json) -> Json:
    try:
        return _function(name)(request)
    except FlowMLError as error:
        return failure(error)
    except MemoryError:
        return failure(_too_large())


def _function(name: str) -> Callable[[Json], Json]:
    module, _, function = WORKS[name].partition(":")
    found: Callable[[Json], Json] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    main()
