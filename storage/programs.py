"""Programs of ours in processes of their own: `python -m MODULE`, or a fork that has its libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Ends = tuple[int, int, int]  # file numbers that become stdin, stdout and stderr


class Process(Protocol):
    """A program that runs. A wait that takes longer than `timeout` raises subprocess.TimeoutExpired."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...


@dataclass(frozen=True)
class Program:
    """A module with a function `main`, as it is to run."""

    module: str
    arguments: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)  # variables that differ from ours
    folder: Path | None = None  # to run in, where it is not ours
    fresh: bool = False  # never a fork


class Forks(Protocol):
    def fork(self, program: Program, ends: Ends) -> Process | None:
        """None where nothing can be forked any more."""


FORKS: ContextVar[Forks | None] = ContextVar("forks", default=None)  # what forks for this training


def start(program: Program, ends: Ends) -> Process:
    """Raises OSError where no process can be started."""
    forks = None if program.fresh else FORKS.get()
    forked = forks.fork(program, ends) if forks else None
    return forked or subprocess.Popen(
        [sys.executable, "-m", program.module, *program.arguments],
        stdin=ends[0],
        stdout=ends[1],
        stderr=ends[2],
        cwd=program.folder,
        env={**os.environ, **program.environ},
    )
