"""Facts on the disk, while Redis does not take them: one file per writer, locked as long as the writer lives.

A process that was killed leaves its file behind; the next one on the machine sends what is in it.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

log = logging.getLogger(__name__)


class Line(NamedTuple):
    """A fact on its way, as text, with the job and the attempt that tell it; of no job: '' and 0."""

    text: str
    job_id: str
    attempt: int


class Spool:
    """The file of one writer. It is made when there is something to keep."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{uuid.uuid4().hex}.jsonl"
        self._file: IO[str] | None = None

    def keep(self, lines: Sequence[Line]) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = self._path.open("w", encoding="utf-8")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self._file.writelines(json.dumps(line) + "\n" for line in lines)
        self._file.flush()

    def clear(self) -> None:
        """All that was kept has been sent."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def close(self, unsent: Sequence[Line]) -> None:
        """Leaves `unsent` for the next process, and nothing else."""
        self.clear()
        if unsent:
            self.keep(unsent)
            log.warning("%d facts could not be sent; they stay in %s", len(unsent), self._path)
        if self._file is not None:
            self._file.close()
            self._file = None


def replay(folder: Path, send: Callable[[Sequence[Line]], object]) -> int:
    """Sends what killed writers left behind, a file at a time; returns how many facts."""
    return sum(_replay(path, send) for path in sorted(folder.glob("*.jsonl")))


def _replay(path: Path, send: Callable[[Sequence[Line]], object]) -> int:
    try:
        with path.open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lines = list(_lines(file, path))
            for _, batch in itertools.groupby(lines, key=lambda line: line[1:]):
                send(list(batch))
            path.unlink(missing_ok=True)
    except (BlockingIOError, FileNotFoundError):  # its writer lives, or another process was faster
        return 0
    return len(lines)


def _lines(file: IO[str], path: Path) -> Iterator[Line]:
    for text in file:
        try:
            yield Line(*json.loads(text))
        except (ValueError, TypeError):  # its writer was killed in the middle of a line
            log.warning("A line in %s is torn and is left out: %.80r", path, text)
