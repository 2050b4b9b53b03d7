"""Models in a real studio and at the real command line, asked with hostile rows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import polars as pl
from starlette.applications import Starlette
from typer.testing import CliRunner

from flowml.automl.serve import Predictor
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage import jobs, models
from flowml.storage.errors import error_of
from flowml.storage.ids import new_id
from flowml.storage.records import Job, JobKind, JobSpec, JobState, Model
from flowml.ui.app import routes
from flowml.ui.cli import app
from tests.doors.doors import Numbers, plain, read, records, write
from tests.doors.hostile import Hostile
from tests.ui.conftest import running

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Served:
    """A studio, asked over HTTP."""

    studio: Studio
    http: httpx.Client

    def add(self, content: bytes) -> str:
        """The id of a model that a job of it might have trained."""
        contract = Predictor(content).contract
        job = Job(new_id("job"), JobKind.TRAINING, JobState.FINISHED, JobSpec(contract.target), time.time())
        kept = self.studio.client._artifacts.put_bytes(content)
        model = Model(
            new_id("model"), job.id, "m", "ensemble", contract.task, contract.metric, 0.5, time.time(), kept
        )
        with self.studio.client._db.write() as cursor:
            jobs.insert(cursor, job)
            models.insert(cursor, model)
        return model.id

    def ask(self, model: str, hostile: Hostile) -> Numbers:
        """Raises the error that the studio answers with."""
        rows = [{str(key): plain(cell) for key, cell in row.items()} for row in records(hostile.rows())]
        body = json.dumps({"data": rows})
        answer = self.http.post(f"/results/model/{model}/predict", content=body, headers=JSON)
        told = answer.json()
        if answer.status_code != 200:
            assert (answer.status_code, told["code"]) == (422, "contract"), answer.text
            raise error_of(told["code"], told["detail"])
        shares = told["probability"]
        lines = [list(row.values()) for row in shares] if shares else [[cell] for cell in told["prediction"]]
        return np.array(lines, np.float64).reshape(len(rows), len(lines[0]) if lines else 0)


@contextmanager
def served(home: Path, workers: int = 0) -> Iterator[Served]:
    """A studio in a data folder of its own."""
    studio = Studio(Settings(home=home, workers=workers))
    studio.start()
    try:
        with (
            running(Starlette(routes=routes(studio, threading.Event()))) as address,
            httpx.Client(base_url=f"{address}/api", timeout=60) as http,
        ):
            yield Served(studio, http)
    finally:
        studio.stop()


def at_the_command_line(model: Path, hostile: Hostile, folder: Path) -> Numbers:
    """Raises the error that is written to the screen."""
    file, out = write(hostile, folder), folder / "answers.parquet"
    said = CliRunner().invoke(app, ["predict", str(model), str(file), "--out", str(out)])
    if said.exit_code == 0:
        return read(pl.read_parquet(out))
    assert isinstance(said.exception, SystemExit), said.exception
    raise error_of("contract", said.output)


def difference(found: Numbers, usual: Numbers) -> float:
    """The largest, relative for numbers beyond 1. Infinite where the answers have another form."""
    if len(found) != len(usual) or (len(usual) and found.shape != usual.shape):
        return float("inf")
    return float((abs(found - usual) / np.maximum(1.0, abs(usual))).max(initial=0.0)) if len(usual) else 0.0
