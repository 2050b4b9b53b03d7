"""Has an ONNX file of others looked into, and asked, by a child process with limits of memory and time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowml.storage.confined import answered, ran_out_of_memory
from flowml.storage.errors import BrokenFile, FileTooLarge, FlowMLError
from flowml.storage.records import ForeignAnswer, ForeignGraph, Json, Record

MEMORY = 3 << 30  # address space: the libraries alone take about 1.5 GiB of it
CPU_S = 20
WALL_S = 60.0


@dataclass(frozen=True)
class Request(Record):
    """Without a graph, look into the file; with one, ask it `rows`."""

    path: str
    graph: ForeignGraph | None = None
    rows: tuple[Json, ...] = ()
    memory: int = MEMORY
    cpu_s: int = CPU_S


def look_in_child(path: Path, memory: int = MEMORY, cpu_s: int = CPU_S) -> ForeignGraph:
    """Raises BrokenFile, NotAllowed for what is not let in, FileTooLarge for what takes too much."""
    return ForeignGraph.from_dict(_answer(Request(str(path), memory=memory, cpu_s=cpu_s))["graph"])


def ask_in_child(
    path: Path, graph: ForeignGraph, rows: Sequence[Json], memory: int = MEMORY, cpu_s: int = CPU_S
) -> ForeignAnswer:
    """Raises ContractError for rows that do not fit, FileTooLarge for what takes too much."""
    return ForeignAnswer.from_dict(_answer(Request(str(path), graph, tuple(rows), memory, cpu_s))["answer"])


def _answer(request: Request) -> Json:
    kept = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT")
    with subprocess.Popen(
        [sys.executable, "-m", "flowml.runner.foreign_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={name: os.environ[name] for name in kept if name in os.environ}
        | {"MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    ) as child:
        try:
            said, errors = child.communicate(json.dumps(request.to_dict()), timeout=WALL_S)
        except subprocess.TimeoutExpired as error:
            raise _too_slow(request) from error
        finally:
            child.kill()
    lines = said.splitlines()
    if child.returncode or not lines:
        raise _crash(request, child.returncode, errors)
    return answered(json.loads(lines[-1]))


def _crash(request: Request, status: int, errors: str) -> FlowMLError:
    if status in (-signal.SIGXCPU, -signal.SIGALRM):
        return _too_slow(request)
    if ran_out_of_memory(status, errors):
        return too_large(request)
    last = (errors.strip().splitlines() or [f"status {status}"])[-1][:200]
    return BrokenFile(f"The ONNX file made its process end early ({last}).", "Check it where it was made.")


def _too_slow(request: Request) -> FileTooLarge:
    return FileTooLarge(
        f"The ONNX file took more than {request.cpu_s} seconds of computing.",
        "Ask fewer rows, or use a smaller model.",
    )


def too_large(request: Request) -> FileTooLarge:
    return FileTooLarge(
        f"The ONNX file needs more than {request.memory >> 20:,} MB of memory.",
        "Ask fewer rows, or use a smaller model.",
    )
