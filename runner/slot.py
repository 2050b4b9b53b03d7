"""One place for a trial child: starts it, speaks with it, measures it and kills it."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import IO

import psutil

from flowml.storage.records import Json

CHILD = (sys.executable, "-m", "flowml.runner.child")
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POLARS_MAX_THREADS",
)
READ_BYTES = 1 << 16
START_S = 120.0  # for a child to load what it needs, even from a slow disk


class Doing(StrEnum):
    """What the child in a slot does now."""

    STARTING = "starting"
    PREPARING = "preparing"
    IDLE = "idle"
    EVALUATING = "evaluating"
    FINISHING = "finishing"
    NOTHING = "nothing"  # there is no child


class Pipe:
    """The reading end of one pipe of a child: whole lines, never waiting."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._rest = b""
        os.set_blocking(stream.fileno(), False)

    def fileno(self) -> int:
        return self._stream.fileno()

    def lines(self) -> Iterator[bytes]:
        """What has come since the last call."""
        while True:
            try:
                some = os.read(self.fileno(), READ_BYTES)
            except BlockingIOError:
                return
            if not some:
                return
            *whole, self._rest = (self._rest + some).split(b"\n")
            yield from whole


class Slot:
    def __init__(self, index: int, command: tuple[str, ...] = CHILD) -> None:
        self.index = index
        self.doing = Doing.NOTHING
        self.limit_s = math.inf  # for what it does now
        self.overdue_at = math.inf  # monotonic
        self.last_words = ""  # the last line that the child printed
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._measured: psutil.Process | None = None

    def start(self, threads: int, environ: Mapping[str, str] = os.environ) -> None:
        """Start a child in a process group of its own, where a Ctrl-C of the terminal does not reach it."""
        self._process = subprocess.Popen(
            [*self._command, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))},
            process_group=0,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._measured = psutil.Process(self._process.pid)
        self.answers, self.words = Pipe(self._process.stdout), Pipe(self._process.stderr)
        self.last_words = ""
        self.now(Doing.STARTING, START_S)

    def now(self, doing: Doing, limit_s: float = math.inf, grace_s: float = 0.0) -> None:
        """What the child does from now on, how long it may take, and how late it may be."""
        self.doing = doing
        self.limit_s = limit_s
        self.overdue_at = time.monotonic() + limit_s + grace_s

    def send(self, command: str, **fields: object) -> None:
        """A child that has just died does not hear us; its death is seen by `ended`."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"command": command, **fields}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.last_words = f"(it did not hear the command {command})"

    def read(self) -> tuple[list[Json], list[str]]:
        """The answers and the printed lines that came since the last call."""
        printed = [text for line in self.words.lines() if (text := line.decode(errors="replace").rstrip())]
        self.last_words = printed[-1] if printed else self.last_words
        return [json.loads(line) for line in self.answers.lines()], printed

    def memory(self) -> int:
        """Resident bytes of the child, 0 when it is gone."""
        try:
            return int(self._measured.memory_info().rss) if self._measured else 0
        except psutil.NoSuchProcess:
            return 0

    def ended(self) -> int | None:
        """The exit code of a child that is gone, negative for a signal; None while it lives."""
        return None if self._process is None else self._process.poll()

    def kill(self) -> None:
        """End the child and all that it started, and take back the pipes."""
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                _close(stream)
        self._process = self._measured = None
        self.now(Doing.NOTHING)


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:  # a command that the dead child never read
        return
