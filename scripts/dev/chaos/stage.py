"""The processes of a studio and its workers, and how to find those below them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from flowml.runner.forkserver import CHILD_NAME, NAME
from flowml.storage.errors import FlowMLError

PATIENCE_S = 300.0
STOP_S = 60.0

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Program:
    """A command that is started again after it was killed."""

    command: list[str]
    environ: dict[str, str] = field(default_factory=dict)


class Stage:
    """`programs` by name, one of them `studio`; all have their data below `folder`."""

    def __init__(self, folder: Path, programs: dict[str, Program]) -> None:
        self.folder, self.programs = folder, programs
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def workers(self) -> list[str]:
        return [name for name in self.programs if name != "studio"]

    def start(self, name: str) -> None:
        program = self.programs[name]
        environ = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", **program.environ}
        with (self.folder / f"{name}.log").open("ab") as words:
            self.processes[name] = subprocess.Popen(
                program.command, env=environ, stdout=words, stderr=words, start_new_session=True
            )

    def tend(self) -> None:
        """Starts again what was killed."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.start(name)

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()

    def alive(self, name: str) -> bool:
        return self.processes[name].poll() is None

    def below(self, name: str) -> list[psutil.Process]:
        try:
            return list(psutil.Process(self.processes[name].pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    def horses(self) -> list[psutil.Process]:
        return [each for name in self.workers for each in self.below(name) if not is_child(each)]

    def children(self) -> list[psutil.Process]:
        return [each for name in self.workers for each in self.below(name) if is_child(each)]

    def servers(self) -> list[psutil.Process]:
        return [each for each in self.below("studio") if "server" in name_of(each)]

    def parents(self) -> list[psutil.Process]:
        return [psutil.Process(self.processes[name].pid) for name in self.workers if self.alive(name)]

    def studios(self) -> list[psutil.Process]:
        return [psutil.Process(self.processes["studio"].pid)] if self.alive("studio") else []

    def stop(self) -> None:
        for name in [*self.workers, "studio"]:
            self.processes[name].send_signal(signal.SIGTERM)
            try:
                self.processes[name].wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.processes[name].kill()

    def end(self) -> None:
        """What still runs, at once."""
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def left_behind(self) -> list[str]:
        """Whatever still works for the folder."""
        found = []
        for process in psutil.process_iter():
            try:
                homes = process.environ().get("FLOWML_HOME", "")
                mine = str(self.folder) in " ".join([homes, *process.cmdline()])
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            if mine and process.pid not in (os.getpid(), os.getppid()):
                found.append(words_of(process)[:200])
        return found


def is_child(process: psutil.Process) -> bool:
    """Of a work-horse: started, forked, or the process that forks them."""
    return "child" in words_of(process) or name_of(process) in (NAME, CHILD_NAME)


def words_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def name_of(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return ""


def insist(ask: Callable[[], Answer], timeout_s: float = PATIENCE_S) -> Answer:
    """Asks a studio that may be away for a while."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return ask()
        except FlowMLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def table(path: Path, rows: int) -> Path:
    """Two numbers, a category and an answer that they tell most of."""
    draw = random.Random(0)
    lines = [f"{draw.random():.3f},{draw.choice('abc')},{draw.random():.3f}" for _ in range(rows)]
    answers = ["yes" if float(line.split(",")[0]) + draw.gauss(0, 0.2) > 0.5 else "no" for line in lines]
    path.write_text("a,b,c,y\n" + "\n".join(f"{line},{y}" for line, y in zip(lines, answers, strict=True)))
    return path


ROW: dict[str, Any] = {"a": 0.9, "b": "a", "c": 0.5}  # of that table
