"""The side that asks `forked_reader`: files are read as a studio has them read, without a second of start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from flowml.storage.intake import FRUGAL, QUIET, Request
from flowml.storage.records import Json

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "tests.storage.forked_reader"]
LIMITS = {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2", **FRUGAL, **QUIET}


class Reading:
    """One process that forks for each file; it is started when it is first asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._one_at_a_time = threading.Lock()

    def ask(self, request: Request) -> Json:
        """What the reader answers, with the processor's `seconds` and the `peak` of memory that it took."""
        with self._one_at_a_time:
            self._process = self._process or self._start()
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(request.to_dict()) + "\n")
            self._process.stdin.flush()
            answered: Json = json.loads(self._process.stdout.readline())
            return answered

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **LIMITS, "PYTHONPATH": str(ROOT)},
            cwd=self._folder,
        )

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
