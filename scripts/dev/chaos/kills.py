"""Kills at random while small trainings run on one machine."""

from __future__ import annotations

import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from chaos.stage import Program, Stage, insist, table
from chaos.verdict import judge
from flowml.storage.errors import FlowMLError
from flowml.ui.client import Studio

ROWS = 400
TRIALS = 14
BUDGET_MIN = 1.0
LEASE = "12s"
END_S = 600.0  # for the jobs under way, when the last kill is done
ACTIVE = ("queued", "running", "finishing", "lost", "paused")

VICTIMS: dict[str, Callable[[Stage], list[psutil.Process]]] = {
    "worker": Stage.parents,
    "work-horse": Stage.horses,
    "trial child": Stage.children,
    "redis": Stage.servers,
    "studio": Stage.studios,
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Jobs:
    """Small trainings; `ids` are those that were asked for."""

    def __init__(self, studio: Studio, path: Path) -> None:
        self.studio = studio
        self.dataset = insist(lambda: studio.upload(path)).id
        self.ids: list[str] = []

    def begin(self) -> None:
        algorithms = random.sample(["logistic", "lightgbm", "extra_trees"], 2)
        name = f"chaos {len(self.ids)}"
        seen = {job.id for job in insist(self.studio.jobs) if job.name == name}
        if not seen:
            asked = {"time_budget": BUDGET_MIN, "model_types": algorithms, "max_trials": TRIALS}
            try:
                seen = {self.studio.train(self.dataset, "y", name=name, **asked)}
            except FlowMLError:  # killed just now: whether it was written down is seen next time
                return
        self.ids += seen

    def open(self) -> int:
        states = {job.id: job.status.value for job in insist(self.studio.jobs)}
        return sum(states.get(id, "queued") in ACTIVE for id in self.ids)


class Killer:
    """Counts by victim; `every_s` is the time between kills on average."""

    def __init__(self, stage: Stage, kills: int, every_s: float) -> None:
        self._stage, self._kills, self._every_s = stage, kills, every_s
        self._began = time.monotonic()
        self._next = self._began + every_s
        self.killed: Counter[str] = Counter()

    @property
    def done(self) -> bool:
        return self.killed.total() >= self._kills

    def kill(self) -> None:
        """One of those that are there, when it is time."""
        victim = random.choice(list(VICTIMS))
        if time.monotonic() < self._next or not (found := VICTIMS[victim](self._stage)):
            return
        random.choice(found).kill()
        self.killed[victim] += 1
        after = time.monotonic() - self._began
        sys.stdout.write(f"{after:7.1f} s  kill {self.killed.total()}: {victim}\n")
        sys.stdout.flush()
        time.sleep(1.0)
        self._next = time.monotonic() + random.uniform(0.3, 1.7) * self._every_s


def programs(home: Path, port: int, workers: int) -> dict[str, Program]:
    environ = {"FLOWML_HOME": str(home), "FLOWML_LEASE": LEASE, "FLOWML_WORKER_TTL": "6s"}
    found = {"studio": Program(["flowml", "up", "--port", str(port), "--workers", "0"], environ)}
    for number in range(1, workers + 1):
        name = f"w{number}"
        found[name] = Program(["flowml-worker", "start", "--name", name], environ)
    return found


def run(folder: Path, kills: int, every_s: float, workers: int, at_once: int) -> dict[str, Any]:
    """The report; `folder` is empty, and `at_once` jobs run side by side."""
    home, port = folder / "home", free_port()
    home.mkdir()
    stage = Stage(folder, programs(home, port, workers))
    began = time.monotonic()
    try:
        stage.start("studio")
        studio = Studio(f"http://127.0.0.1:{port}", timeout_s=60)
        jobs = Jobs(studio, table(folder / "table.csv", ROWS))
        for name in stage.workers:
            stage.start(name)
        killer = Killer(stage, kills, every_s)
        while not killer.done:
            stage.tend()
            if jobs.open() < at_once:
                jobs.begin()
            killer.kill()
            time.sleep(0.3)
        deadline = time.monotonic() + END_S
        stage.tend()  # the last that was killed may be the studio
        while jobs.open() and time.monotonic() < deadline:
            time.sleep(1.0)
            stage.tend()
        stage.stop()
        time.sleep(2.0)
        left = stage.left_behind()
    finally:
        stage.end()
    report = judge(home / "flowml.duckdb", jobs.ids)
    seconds = round(time.monotonic() - began)
    return {"kills": dict(killer.killed), "seconds": seconds, **report, "processes_left": left}
