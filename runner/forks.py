"""A fork server as a program, for a training without a worker: trial children that load nothing themselves.

Once it has loaded what reads a table it forks the reader, and loads the libraries of trials meanwhile. On a
machine so crowded that this takes long, a child that is waited for is forked as soon as it could prepare the
table, and loads the rest itself when it is wanted. Unlike a worker's, the server is no fork of the lane's
process, which may have threads by then.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from flowml.runner.child import WANTED_SOON
from flowml.runner.forkserver import (
    FORK_SERVER,
    LONGEST,
    PR_SET_CHILD_SUBREAPER,
    ForkServer,
    has_news,
    serve_forks,
    set_process_option,
)
from flowml.runner.preloading import load
from flowml.storage.programs import FORKS

PROGRAM = (sys.executable, "-m", "flowml.runner.forks")
FIRST = ("numpy", "polars")  # for the reader, which is asked for at once
ENOUGH = ("flowml.automl.prepared", "flowml.automl.evaluate")  # to prepare the table
IN_PARTS = ("scipy.linalg", "scipy.special")  # of what the next ones load, so that none takes long
WANTED = (*IN_PARTS, *WANTED_SOON, "onnxruntime", "flowml.automl.finish")
UNWANTED = ("pyarrow", "rich")  # libraries load them where they are installed, trials make no use of them
LOADED = b"loaded"
LOADED_S = 120.0  # until it answers first

log = logging.getLogger(__name__)


class ForkProgram(ForkServer):
    """The side of the lane. Raises OSError where the system has no such thing."""

    def __init__(self) -> None:
        set_process_option(PR_SET_CHILD_SUBREAPER, 1)
        self._loaded = False
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(LOADED_S)
        with theirs:
            self._process = subprocess.Popen(
                [*PROGRAM, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONIOENCODING": "utf-8"},
                process_group=0,
            )
        self.pid = self._process.pid

    @property
    def loaded(self) -> bool:
        if not self._loaded and (self._line.fileno() < 0 or has_news(self._line)):
            self._loaded = True  # or it is gone, and children start as programs
            with suppress(OSError):
                self._line.recv(LONGEST)
        return self._loaded

    def _answer(self) -> bytes:
        answer = super()._answer()
        if answer == LOADED:
            self._loaded = True
            answer = super()._answer()
        return answer

    def end(self) -> None:
        """Of the server, which holds nothing; call it when its children have ended."""
        self._process.kill()  # before it could see the line closed, and complain
        self.close()
        set_process_option(PR_SET_CHILD_SUBREAPER, 0)
        self._process.wait()


@contextmanager
def forked_children() -> Iterator[bool]:
    """Within it the children of slots are forked; False where they start as programs all the same."""
    server = None
    if sys.platform == "linux":
        try:
            server = ForkProgram()
        except OSError as error:
            log.warning("Trial children start as programs, for they cannot be forked: %s", error)
    before = FORK_SERVER.set(server), FORKS.set(server)
    try:
        yield server is not None
    finally:
        FORK_SERVER.reset(before[0])
        FORKS.reset(before[1])
        if server is not None:
            server.end()


def main() -> None:
    line, lane = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    for name in FIRST:
        load(name)
    loads = [partial(load, name, UNWANTED) for name in (*ENOUGH, *WANTED)]
    serve_forks(line, lane, [*loads, partial(line.send, LOADED)], len(ENOUGH))


if __name__ == "__main__":
    main()
