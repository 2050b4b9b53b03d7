"""The workers that a studio runs on its own machine: started, watched, started again, and stopped with it.

So many as the settings say, and those that were asked for since. Each is a process group of its own. One that
outlived a killed studio is adopted by the next, job and all.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from flowml.runner import logs, roster
from flowml.runner.routine import Routine
from flowml.runner.settings import Settings
from flowml.storage.errors import Conflict
from flowml.storage.records import Record, read_record
from flowml.storage.version import VERSION

WATCH_S = 1.0
STOP_S = 12.0
LONGEST_PAUSE_S = 30.0  # before a worker that ends at once is started again
SHORT_LIFE_S = 10.0
MOST = 8  # that are started because somebody asked

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Note(Record):
    """What is kept on the disk about a worker that was started: enough to know it again."""

    pid: int
    created_at: float  # of the process, as the system tells it: pids are used again
    version: str


class LocalWorker:
    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._note = _notes(settings) / f"{name}.json"
        self._words = settings.logs / f"{name}.log"
        self._process: psutil.Process | None = None
        self._child: subprocess.Popen[bytes] | None = None  # the same, where this studio started it
        self._family: list[psutil.Process] = []
        self._started_at = 0.0
        self._pause_s = 0.0

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    def ensure(self) -> None:
        """Adopts the one that runs, or starts one."""
        logs.turn_over(self._words)
        if self._alive():
            return
        if self._process is not None:
            log.warning("Local worker %s (process %d) has ended", self.name, self.pid)
            short = time.monotonic() - self._started_at < SHORT_LIFE_S
            self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2 or 1.0) if short else 0.0
            self._process = None
            self._started_at = time.monotonic()
        if time.monotonic() - self._started_at < self._pause_s:
            return
        self._process = self._adopt() or self._start()

    def ask_to_stop(self) -> None:
        if self._process is not None and self._alive():
            self._family = family(self._process)  # before it lets go of them
            self._process.send_signal(signal.SIGTERM)

    def finish(self, timeout_s: float) -> None:
        """Waits for its end, then kills what is left of it and its children."""
        if self._process is None:
            return
        _, stubborn = psutil.wait_procs([self._process], timeout_s)
        if stubborn:
            log.warning("Local worker %s did not stop in time and is killed", self.name)
        kill([self._process, *self._family])
        if self._child is not None:
            self._child.wait()
        self._note.unlink(missing_ok=True)
        self._process = self._child = None

    def _alive(self) -> bool:
        if self._child is not None and self._child.poll() is not None:
            return False
        return self._process is not None and _running(self._process)

    def outlived(self) -> tuple[Note, psutil.Process] | None:
        """The one that an earlier studio started, if it still runs."""
        if not self._note.is_file():
            return None
        note = read_record(Note, self._note.read_bytes())
        if note is None:  # cut short, as when the power fails
            log.warning("%s cannot be read, so local worker %s is started anew", self._note, self.name)
            return None
        try:
            process = psutil.Process(note.pid)
            same = process.create_time() == note.created_at and _running(process)
        except psutil.NoSuchProcess:
            return None
        return (note, process) if same else None

    def _adopt(self) -> psutil.Process | None:
        found = self.outlived()
        if found is None:
            return None
        note, process = found
        if note.version != VERSION:
            log.info("Local worker %s is of version %s and is replaced", self.name, note.version)
            all_of_it = family(process)
            process.terminate()
            psutil.wait_procs([process], STOP_S)
            kill(all_of_it)
            return None
        log.info("Local worker %s (process %d) outlived the last studio and goes on", self.name, note.pid)
        return process

    def _start(self) -> psutil.Process:
        self._settings.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._words.open("ab") as words:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "flowml.runner.worker", self.name],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env={**os.environ, **self._settings.to_environ()},
                start_new_session=True,
            )
        self._started_at = time.monotonic()
        process = psutil.Process(self._child.pid)
        note = Note(self._child.pid, process.create_time(), VERSION)
        self._note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._note.with_suffix(".part")
        part.write_text(json.dumps(note.to_dict()))
        part.replace(self._note)
        log.info("Local worker %s started (process %d)", self.name, note.pid)
        return process


class LocalWorkers:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._prefix = f"{roster.as_name(socket.gethostname())}-local-"
        self._adding = threading.Lock()
        wanted = tuple(self._worker(number) for number in range(1, settings.workers + 1))
        self.workers = (*wanted, *self._left({worker.name for worker in wanted}))
        self._routine = Routine("watch over local workers", self._ensure)

    def start(self) -> None:
        self._ensure()
        self._routine.start()

    def add(self, online: Collection[str] = ()) -> str:
        """Starts one more, which lives as long as the studio, and gives its name. Raises Conflict.

        While one is about to join those that are online, that one is named instead.
        """
        with self._adding:
            coming = next((worker.name for worker in self.workers if worker.name not in online), None)
            if coming is not None:
                return coming
            most = max(MOST, self._settings.workers)
            if len(self.workers) >= most:
                raise Conflict(
                    f"{len(self.workers)} workers run on the studio's machine, as many as it starts.",
                    "Each uses all cores; `flowml-worker start` adds another machine.",
                )
            taken = {worker.name for worker in self.workers}
            possible = (self._worker(number) for number in range(1, most + 1))
            worker = next(each for each in possible if each.name not in taken)
            worker.ensure()
            self.workers = (*self.workers, worker)
        return worker.name

    def stop(self, timeout_s: float = STOP_S) -> None:
        """Their jobs are given back to the queue."""
        self._routine.stop()
        for worker in self.workers:
            worker.ask_to_stop()
        deadline = time.monotonic() + timeout_s
        for worker in self.workers:
            worker.finish(max(0.1, deadline - time.monotonic()))

    def _ensure(self) -> float:
        for worker in self.workers:
            worker.ensure()
        return WATCH_S

    def _worker(self, number: int) -> LocalWorker:
        return LocalWorker(f"{self._prefix}{number}", self._settings)

    def _left(self, wanted: Collection[str]) -> Iterator[LocalWorker]:
        """Those that were asked for in a studio that was killed, and still run."""
        for note in sorted(_notes(self._settings).glob(f"{self._prefix}*.json")):
            worker = LocalWorker(note.stem, self._settings)
            if worker.name not in wanted and worker.outlived():
                yield worker


def _notes(settings: Settings) -> Path:
    return settings.home / "workers"


def kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        if _running(process):
            process.kill()
    psutil.wait_procs(list(processes), 5.0)


def family(process: psutil.Process) -> list[psutil.Process]:
    """The process and all that descends from it."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return [process]


def _running(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
