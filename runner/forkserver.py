"""A process that has loaded what trial children need and does nothing but fork them: they start at once.

A work-horse makes one while it has no threads yet, where its worker has loaded the libraries ahead
(`preloading`); a training without a worker starts it as a program (`forks`). Nothing has run in it: a library
that was only loaded may be forked, one that has run may have threads that are missed afterwards. Its children
become children of the lane's process, which sees them end and takes them along when it ends. Where there is
no such server, or none any more, a slot starts a program.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import NoReturn

from flowml.runner.waiting import wait_until

NAME, CHILD_NAME = "flowml forks", "flowml trial"  # as the system shows these processes; 15 letters at most
PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36
ANSWER_S = 5.0  # for a fork, which takes milliseconds
LOOK_S = 0.0005
LONGEST = 1 << 12  # bytes of a request
PIPES, STDERR = 3, 2
NONE = b"0"  # in place of a process id
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGCHLD)


class Forked:
    """A trial child, as a slot sees one: what it needs of subprocess.Popen."""

    def __init__(self, pid: int, commands: int, answers: int, words: int) -> None:
        self.pid = pid
        self.stdin, self.stdout = os.fdopen(commands, "wb"), os.fdopen(answers, "rb")
        self.stderr = os.fdopen(words, "rb")
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._look(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        if timeout is not None and not wait_until(lambda: self.poll() is not None, timeout, 0.005):
            raise subprocess.TimeoutExpired(CHILD_NAME, timeout)
        code = self._look(0)
        assert code is not None
        return code

    def _look(self, how: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, how)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


class ForkServer:
    """The side of the work-horse. Make it before this process has threads."""

    def __init__(self) -> None:
        set_process_option(PR_SET_CHILD_SUBREAPER, 1)
        self._line, theirs = socket.socketpair()
        self._line.settimeout(ANSWER_S)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()  # what waits in them would be written twice
        lane = os.getpid()
        if os.fork() == 0:
            _end_with(serve_forks, theirs, lane)
        theirs.close()

    def fork(self, environ: Mapping[str, str]) -> Forked | None:
        """A trial child in whose environment these variables differ; None if the server is gone."""
        with _pipes() as (ours, theirs):
            try:
                socket.send_fds(self._line, [json.dumps(dict(environ)).encode()], theirs)
                pid = int(self._line.recv(LONGEST) or 0)
            except OSError:
                pid = 0
            if pid:
                return Forked(pid, *map(os.dup, ours))
        self.close()
        return None

    def close(self) -> None:
        """It ends, and its children stay."""
        self._line.close()


FORK_SERVER: ContextVar[ForkServer | None] = ContextVar("fork server", default=None)


@contextmanager
def _pipes() -> Iterator[tuple[list[int], list[int]]]:
    """Our and the child's ends of a child's three pipes."""
    (commands, to), (answers, said), (words, printed) = os.pipe(), os.pipe(), os.pipe()
    ours, theirs = [to, answers, words], [commands, said, printed]
    try:
        yield ours, theirs
    finally:
        for end in (*ours, *theirs):
            os.close(end)


# --- the server ---------------------------------------------------------------------------------------------


def serve_forks(line: socket.socket, lane: int) -> None:
    """Forks for the process `lane`, our parent, until it is gone or closes the line."""
    from flowml.runner import child, logs

    set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
    set_process_option(PR_SET_NAME, NAME.encode())
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    logs.take_down()
    _let_go_of_all_but(line.fileno())
    gc.freeze()  # a collection would touch, and so copy, what the children share
    while os.getppid() == lane:
        asked, pipes, _, _ = socket.recv_fds(line, LONGEST, PIPES)
        if not asked:
            return
        environ = json.loads(asked)
        between = os.fork()
        if between == 0:
            _end_with(_become, line, pipes, environ, partial(child.work_for, lane))
        for end in pipes:
            os.close(end)
        if os.waitpid(between, 0)[1]:
            line.send(NONE)


def _let_go_of_all_but(kept: int) -> None:
    """Of what the worker has open; the numbers stay taken, for objects still bear them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in [int(each.name) for each in Path("/proc/self/fd").iterdir()]:
        if number > STDERR and number not in (kept, nothing):
            with suppress(OSError):  # the listing itself
                os.fstat(number)
                os.dup2(nothing, number, inheritable=False)


def _become(
    line: socket.socket, pipes: list[int], environ: Mapping[str, str], work: Callable[[], object]
) -> None:
    """A trial child. It is forked once more, for a process whose parent ends is given to the work-horse."""
    between = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == between:
        time.sleep(LOOK_S)
    os.setpgid(0, 0)
    set_process_option(PR_SET_NAME, CHILD_NAME.encode())
    os.environ.update(environ)
    if "polars" in sys.modules:  # it has read them as it was loaded
        sys.modules["polars"].Config.reload_env_vars()
    for number, end in enumerate(pipes):
        os.dup2(end, number)
        os.close(end)
    line.send(str(os.getpid()).encode())
    line.close()
    work()


def _end_with(work: Callable[..., object], *arguments: object) -> NoReturn:
    """For a process that must not go on with what the one it was forked from did."""
    try:
        work(*arguments)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def set_process_option(option: int, value: int | bytes) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
