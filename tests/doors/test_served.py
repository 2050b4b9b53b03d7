"""A champion in a real studio and at the real command line answers hostile rows as it does from its file."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner

from flowml.automl.serve import Predictor
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage import jobs, models
from flowml.storage.ids import new_id
from flowml.storage.records import Job, JobKind, JobSpec, JobState, Model, Task
from flowml.ui.app import routes
from flowml.ui.cli import app
from tests.doors.champions import refitted
from tests.doors.doors import House, numbers_of, plain, read, records, write
from tests.doors.hostile import HOSTILE
from tests.ui.conftest import running

ASKED = {name: hostile for name, hostile in HOSTILE.items() if not hostile.only}
JSON = {"Content-Type": "application/json"}
AT_THE_COMMAND_LINE = ("unseen categories", "a word for a number", "dates of polars")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("served")
    _, content = refitted(folder, Task.MULTICLASS, ("logistic", "lightgbm", "xgboost"))
    (folder / "model.onnx").write_bytes(content)
    return House(Predictor(content), folder)


@pytest.fixture(scope="module")
def predict(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Asks the route of a studio that knows the model."""
    studio = Studio(Settings(home=tmp_path_factory.mktemp("home"), workers=0))
    studio.start()
    job = Job(new_id("job"), JobKind.TRAINING, JobState.FINISHED, JobSpec("score"), time.time())
    kept = studio.client._artifacts.put_file(house.folder / "model.onnx")
    model = Model(
        new_id("model"), job.id, "m", "ensemble", Task.MULTICLASS, "log_loss", 0.5, time.time(), kept
    )
    with studio.client._db.write() as cursor:
        jobs.insert(cursor, job)
        models.insert(cursor, model)
    try:
        with (
            running(Starlette(routes=routes(studio, threading.Event()))) as address,
            httpx.Client(base_url=f"{address}/api/results/model/{model.id}", timeout=60) as client,
        ):
            yield client
    finally:
        studio.stop()


@pytest.mark.parametrize("name", ASKED)
def test_over_http_the_numbers_are_those_of_the_file(house: House, predict: httpx.Client, name: str) -> None:
    hostile = ASKED[name]
    rows = [{str(key): plain(cell) for key, cell in row.items()} for row in records(hostile.rows())]
    answer = predict.post("/predict", content=json.dumps({"data": rows}), headers=JSON)
    if hostile.refused:
        assert (answer.status_code, answer.json()["code"]) == (422, "contract")
        return
    assert answer.status_code == 200, answer.text
    told = answer.json()
    usual = numbers_of(house.warm.predict(hostile.rows()))
    found = np.array([list(row.values()) for row in told["probability"]]).reshape(usual.shape)
    assert abs(found - usual).max(initial=0.0) <= 1e-6


@pytest.mark.parametrize("name", AT_THE_COMMAND_LINE)
def test_so_they_are_at_the_command_line(house: House, tmp_path: Path, name: str) -> None:
    file, out = write(HOSTILE[name], tmp_path), tmp_path / "answers.parquet"
    model = str(house.folder / "model.onnx")
    said = CliRunner().invoke(app, ["predict", model, str(file), "--out", str(out)])
    assert said.exit_code == 0, said.output
    found = read(pl.read_parquet(out))
    assert abs(found - numbers_of(house.warm.predict(HOSTILE[name].rows()))).max() <= 1e-6
