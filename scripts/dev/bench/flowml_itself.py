"""FlowML as a user calls it: `flowml train`, then `flowml predict`, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import psutil

from bench.answers import Answers
from bench.tables import Table
from flowml.storage.records import Task

FLOWML = str(Path(sys.executable).with_name("flowml"))
LOOK_S = 0.25
PATIENCE = 3.0  # of the budget, and a minute, after which a training is ended


@dataclass(frozen=True)
class Trained:
    wall_s: float  # of the whole command, its start included
    used_s: float  # as its receipt says
    trials: int
    champion: str
    peak_mb: float  # of all its processes together, shared memory counted once


class TrainingFailed(Exception):
    """What the command said last."""


def train(table: Table, rows: Path, out: Path, budget_s: float, seed: int, jobs: int | None) -> Trained:
    command = [FLOWML, "train", str(rows), "--target", table.target, "--task", table.task.value]
    command += ["--metric", table.metric, "--budget", f"{budget_s:g}s", "--seed", str(seed)]
    command += ["--out", str(out), "--json", *(["--jobs", str(jobs)] if jobs else [])]
    began = time.monotonic()
    with (out.parent / "said.txt").open("w+") as said, (out.parent / "log.txt").open("w+") as log:
        process = subprocess.Popen(command, stdout=said, stderr=log)
        peak = _watch(process, began + PATIENCE * budget_s + 60)
        wall_s = time.monotonic() - began
        log.seek(0)
        if process.returncode:
            raise TrainingFailed(log.read()[-500:].strip() or f"exit code {process.returncode}")
        said.seek(0)
        told = json.loads(said.read().strip().splitlines()[-1])
    return Trained(wall_s, told["used_s"], told["trials"], told["champion"], peak / 2**20)


def _watch(process: subprocess.Popen[bytes], until: float) -> int:
    """Waits for the end of a process; the most bytes that it and its children held together."""
    peak, root = 0, psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, _held(root))
        if time.monotonic() > until:
            process.kill()
        time.sleep(LOOK_S)
    return peak


def _held(root: psutil.Process) -> int:
    try:
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(map(_size, family))


def _size(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:  # gone, or not ours to look into
        return 0


def predict(table: Table, model: Path, rows: Path) -> Answers:
    out = rows.with_name("predictions.parquet")
    subprocess.run(
        [FLOWML, "predict", str(model), str(rows), "--out", str(out)], check=True, capture_output=True
    )
    found = pl.read_parquet(out)
    if table.task is Task.REGRESSION:
        return Answers(found["prediction"].to_numpy())
    shares = found.select(pl.col("^probability_.*$"))
    classes = tuple(name.removeprefix("probability_") for name in shares.columns)
    return Answers(shares.to_numpy(), classes, tuple(found["prediction"].cast(pl.String)))
