"""One place for a trial child: starts it, speaks with it, measures it and kills it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import IO

import psutil

from flowml.runner.forkserver import FORK_SERVER, ForkedChild
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
MOST_READ = 64  # times in one look: a child that writes without end must not hold the lane
MOST_PRINTED = 1 << 18  # bytes that are passed on of what one command prints
LONGEST_LINE = 1 << 16  # of what is printed
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
    """The reading end of one pipe of a child: whole lines, never waiting. `longest`: where lines are cut."""

    def __init__(self, stream: IO[bytes], longest: float = math.inf) -> None:
        self.closed = False  # by the child
        self._stream = stream
        self._longest = longest
        self._rest = b""
        os.set_blocking(stream.fileno(), False)

    def fileno(self) -> int:
        return self._stream.fileno()

    def lines(self) -> Iterator[bytes]:
        """What has come since the last call."""
        for _ in range(MOST_READ):
            try:
                some = os.read(self.fileno(), READ_BYTES)
            except BlockingIOError:
                return
            if not some:
                self.closed = True
                return
            *whole, self._rest = (self._rest + some).split(b"\n")
            if len(self._rest) > self._longest:
                whole, self._rest = [*whole, self._rest], b""
            yield from whole


class Slot:
    def __init__(self, index: int, command: tuple[str, ...] = CHILD) -> None:
        self.index = index
        self.doing = Doing.NOTHING
        self.limit_s = math.inf  # for what it does now
        self.overdue_at = math.inf  # monotonic
        self.last_words = ""  # the last line that the child printed
        self.babbled = False  # it answered with what is no answer
        self._printed = 0  # bytes since the last command
        self._command = command
        self._process: subprocess.Popen[bytes] | ForkedChild | None = None
        self._measured: psutil.Process | None = None
        self._began = 0.0  # monotonic

    def start(self, threads: int) -> None:
        """Start a child in a process group of its own, where a Ctrl-C of the terminal does not reach it."""
        self._began = time.monotonic()
        self._process = self._fork(threads) or subprocess.Popen(
            [*self._command, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_with_threads(threads)},
            process_group=0,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._measured = psutil.Process(self._process.pid)
        self.answers, self.words = Pipe(self._process.stdout), Pipe(self._process.stderr, LONGEST_LINE)
        self.last_words, self.babbled, self._printed = "", False, 0
        self.now(Doing.STARTING, START_S)

    def _fork(self, threads: int) -> ForkedChild | None:
        server = FORK_SERVER.get()
        return server.fork_child(_with_threads(threads)) if server and self._command == CHILD else None

    def now(self, doing: Doing, limit_s: float = math.inf, grace_s: float = 0.0) -> None:
        """What the child does from now on, how long it may take, and how late it may be."""
        self.doing = doing
        self.limit_s = limit_s
        self.overdue_at = time.monotonic() + limit_s + grace_s

    def send(self, command: str, **fields: object) -> None:
        """A child that has just died does not hear us; its death is seen by `ended`."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._printed = 0
        try:
            self._process.stdin.write(json.dumps({"command": command, **fields}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.last_words = f"(it did not hear the command {command})"

    def read(self) -> tuple[list[Json], list[str]]:
        """The answers and the printed lines that came since the last call."""
        printed = list(self._words())
        answers: list[Json] = []
        try:
            answers += (json.loads(line) for line in self.answers.lines())
        except ValueError:  # a library wrote where only we may write
            self.babbled = True
        return answers, printed

    def _words(self) -> Iterator[str]:
        """Printed lines, of a command that prints without end only the first ones."""
        for line in self.words.lines():
            text = line.decode(errors="replace").rstrip() if self._printed <= MOST_PRINTED else ""
            self._printed += len(line) + 1
            if text:
                self.last_words = text
                yield text if self._printed <= MOST_PRINTED else "(It prints on; the rest is left out.)"

    def memory(self) -> int:
        """Resident bytes of the child, 0 when it is gone."""
        try:
            return int(self._measured.memory_info().rss) if self._measured else 0
        except psutil.NoSuchProcess:
            return 0

    @property
    def age_s(self) -> float:
        """Of the child, since it was asked for."""
        return time.monotonic() - self._began

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def ended(self) -> int | None:
        """The exit code of a child that is gone, negative for a signal; None while it lives."""
        return None if self._process is None else self._process.poll()

    def end(self, within_s: float) -> int | None:
        """The exit code of a child that is about to go, None if it stays."""
        assert self._process is not None
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    def strike(self) -> None:
        """End the child and all that it started, without waiting for that."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # also what a dead child has left behind
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the child and all that it started, and take back the pipes."""
        if self._process is None:
            return
        self.strike()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                _close(stream)
        self._process = self._measured = None
        self.now(Doing.NOTHING)


def _with_threads(count: int) -> dict[str, str]:
    return dict.fromkeys(THREAD_VARIABLES, str(count))


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:  # a command that the dead child never read
        return
