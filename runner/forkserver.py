"""A process that has loaded what trial children need and does nothing but fork programs: they start at once.

A work-horse makes one while it has no threads yet, where its worker has loaded the libraries ahead
(`preloading`); a training without a worker starts it as a program (`forks`). Nothing has run in it: a library
that was only loaded may be forked, one that has run may have threads that are missed afterwards. Its children
become children of the lane's process, which sees them end and takes them along when it ends. Where there is
no such server, or none any more, a program is started.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import NoReturn

from flowml.runner.crowding import turn_of
from flowml.runner.waiting import wait_until
from flowml.storage.programs import Ends, Program
from flowml.storage.records import Json

NAME, CHILD_NAME = "flowml forks", "flowml trial"  # as the system shows these processes; 15 letters at most
CHILD_MODULE = "flowml.runner.child"
NAMES = {
    CHILD_MODULE: CHILD_NAME,
    "flowml.storage.reader": "flowml reader",
    "flowml.storage.apart": "flowml apart",
}
PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36
FOLLOW_S = 0.5  # for the request for the next child, where one had to be hurried
ANSWER_S = 5.0  # for a fork, which takes milliseconds
LOOK_S = 0.0005
LONGEST = 1 << 12  # bytes of a request
PIPES, STDERR = 3, 2
NONE = b"0"  # in place of a process id
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGCHLD)


class Forked:
    """A program that was forked: what is needed of subprocess.Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._look(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        if timeout is not None and not wait_until(lambda: self.poll() is not None, timeout, 0.005):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        code = self._look(0)
        assert code is not None
        return code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _look(self, how: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, how)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


class ForkedChild(Forked):
    """A trial child, as a slot sees one."""

    def __init__(self, pid: int, commands: int, answers: int, words: int) -> None:
        super().__init__(pid)
        self.stdin, self.stdout = os.fdopen(commands, "wb"), os.fdopen(answers, "rb")
        self.stderr = os.fdopen(words, "rb")


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
        self.pid = os.fork()
        if self.pid == 0:
            _end_with(serve_forks, theirs, lane)
        theirs.close()

    @property
    def loaded(self) -> bool:
        """Whether a trial child comes at once, with all that it needs."""
        return True

    def fork_child(self, environ: Mapping[str, str]) -> ForkedChild | None:
        """A trial child in whose environment these variables differ; None if the server is gone."""
        with _pipes() as (ours, theirs):
            forked = self.fork(Program(CHILD_MODULE, (str(os.getpid()),), environ), theirs)
            return ForkedChild(forked.pid, *map(os.dup, ours)) if forked else None

    def fork(self, program: Program, ends: Ends) -> Forked | None:
        asked = {
            "module": program.module,
            "arguments": list(program.arguments),
            "environ": dict(program.environ),
            "folder": str(program.folder or ""),
        }
        try:
            socket.send_fds(self._line, [json.dumps(asked).encode()], ends)
            pid = int(self._answer() or 0)
        except OSError:
            pid = 0
        if pid:
            return Forked(pid)
        self.close()
        return None

    def _answer(self) -> bytes:
        return self._line.recv(LONGEST)

    def close(self) -> None:
        """It ends, and its children stay."""
        self._line.close()


FORK_SERVER: ContextVar[ForkServer | None] = ContextVar("fork server", default=None)


def may_fork() -> bool:
    """Whether a trial child would come at once; also where none is forked."""
    server = FORK_SERVER.get()
    return server is None or server.loaded


@contextmanager
def _pipes() -> Iterator[tuple[Ends, Ends]]:
    """Our and the child's ends of a child's three pipes."""
    (commands, to), (answers, said), (words, printed) = os.pipe(), os.pipe(), os.pipe()
    ours, theirs = (to, answers, words), (commands, said, printed)
    try:
        yield ours, theirs
    finally:
        for end in (*ours, *theirs):
            os.close(end)


# --- the server ---------------------------------------------------------------------------------------------


def serve_forks(
    line: socket.socket, lane: int, ahead: Sequence[Callable[[], object]] = (), enough: int = 0
) -> None:
    """Forks for the process `lane`, our parent, until it is gone or closes the line.

    What is `ahead` of the first trial child is done while nothing is asked. On a crowded machine, where that
    takes long, the first `enough` of it must do: a child that is waited for comes without the rest.
    """
    from flowml.runner import child, logs  # noqa: F401  children have it at once

    set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
    set_process_option(PR_SET_NAME, NAME.encode())
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    logs.take_down()
    _let_go_of_all_but(line.fileno())
    left = deque([*ahead, gc.freeze])  # a collection would touch, and so copy, what the children share
    spare, hurried = len(left) - enough, False
    while os.getppid() == lane:
        if left and not has_news(line, FOLLOW_S if hurried else 0.0):
            hurried = False
            left.popleft()()
            continue
        message, ends, _, _ = socket.recv_fds(line, LONGEST, PIPES)
        if not message:
            return
        asked = json.loads(message)
        while left and asked["module"] == CHILD_MODULE and not (len(left) <= spare and is_crowded()):
            left.popleft()()
        hurried = asked["module"] == CHILD_MODULE and bool(left)
        _fork(line, ends, asked)


def has_news(line: socket.socket, wait_s: float = 0.0) -> bool:
    """Whether there is something to read, if only the end."""
    return bool(select.select([line], [], [], wait_s)[0])


def is_crowded() -> bool:
    """Whether this process has waited longer for a core than it had one."""
    turn = turn_of(os.getpid())
    return turn is not None and turn.waited_s > turn.ran_s


def _fork(line: socket.socket, ends: Sequence[int], asked: Json) -> None:
    between = os.fork()
    if between == 0:
        _end_with(_become, line, ends, asked)
    for end in ends:
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


def _become(line: socket.socket, ends: Sequence[int], asked: Json) -> None:
    """The program. It is forked once more, for a process whose parent ends is given to the work-horse."""
    between = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == between:
        time.sleep(LOOK_S)
    os.setpgid(0, 0)
    module = asked["module"]
    set_process_option(PR_SET_NAME, NAMES[module].encode())
    os.environ.update(asked["environ"])
    if "polars" in sys.modules:  # it has read them as it was loaded
        sys.modules["polars"].Config.reload_env_vars()
    for number, end in enumerate(ends):
        os.dup2(end, number)
        os.close(end)
    if asked["folder"]:
        os.chdir(asked["folder"])
    line.send(str(os.getpid()).encode())
    line.close()
    sys.argv = [module, *asked["arguments"]]
    importlib.import_module(module).main()


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
