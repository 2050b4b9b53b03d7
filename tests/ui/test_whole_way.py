"""The whole way over REST with a real worker: a table goes in, a model comes out and predicts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen
from zipfile import ZipFile

import httpx
import onnxruntime
import polars as pl
import pytest
from onnx import load

from flowml import __version__
from flowml.storage.errors import InputError
from flowml.ui.client import Studio

ROWS = 300
BUDGET_S = 12.0


def table(path: Path) -> Path:
    """Three kinds of flowers that two numbers and a colour tell apart."""
    kinds = ["iris", "lily", "rose"]
    lines = ["petals,height,colour,kind"]
    for i in range(ROWS):
        kind = i % 3
        height = 10 + 5 * kind + (i * 7) % 6
        lines.append(f"{kind * 2 + i % 4},{height}.5,{'red' if kind else 'blue'},{kinds[kind]}")
    path.write_text("\n".join(lines))
    return path


def test_from_a_table_to_a_prediction(
    tmp_path: Path, served: Callable[..., AbstractContextManager[tuple[Popen[str], str]]]
) -> None:
    with served(tmp_path / "home", workers=1) as (_, url), Studio(url) as studio:
        dataset = studio.upload(table(tmp_path / "flowers.csv"))
        job_id = studio.train(dataset.id, "kind", time_budget=BUDGET_S / 60)
        kinds = [event.kind for event in studio.events(job_id)]
        assert {"state", "stage", "trial_started", "trial_finished"} <= set(kinds)
        job = studio.wait(job_id, timeout_s=60)
        assert (job.status, job.task, job.cause) == ("finished", "multiclass", "")
        assert job.receipt is not None
        assert job.receipt.used_s <= BUDGET_S + 30

        board = studio.leaderboard(job_id)
        ranks = [row.rank for row in board.models if row.rank is not None]
        assert ranks == list(range(1, len(ranks) + 1))
        assert (board.models[0].metrics[job.metric], board.champion) == (board.models[0].score, job.champion)
        model = studio.model(job.champion)
        assert (model.champion, model.job_id) == (True, job_id)
        assert [each.id for each in studio.models(job_id)] == [job.champion]

        row = {"petals": 1, "height": 12.5, "colour": "blue"}
        one = studio.predict(job.champion, row)
        assert one.prediction == "iris"
        assert sum(one.probability.values()) > 0.999
        many = studio.predict(job.champion, [row, row | {"petals": 7, "height": 21.5, "colour": "green"}])
        assert (many.prediction[0], len(many.probability)) == ("iris", 2)
        assert "green" in many.warnings[0].message

        explained(url, job.champion, row, whole=not job.receipt.cut)
        answers(studio, job.champion, dataset.id, tmp_path)
        moved(studio, job.champion, tmp_path)
        onnx = studio.download(job.champion, tmp_path / "model.onnx")
        names = {each.name for each in onnxruntime.InferenceSession(onnx).get_inputs()}
        assert names == {"petals", "height", "colour"}
        card = json.loads(studio.download(job.champion, tmp_path / "card.json", format="card").read_text())
        assert card
        older = studio.download(job.champion, tmp_path / "older.onnx", ml=3)
        versions = {each.domain: each.version for each in load(older).opset_import}
        assert versions == {"": 21, "ai.onnx.ml": 3}
        with ZipFile(studio.download(job.champion, tmp_path / "model.zip", format="package")) as package:
            assert package.read("model.onnx") == onnx.read_bytes()
            assert {"predict.py", "schema.json", "card.html"} <= set(package.namelist())
        if model.compact is not None:
            smaller = studio.download(job.champion, tmp_path / "compact.onnx", variant="compact")
            assert smaller.stat().st_size < onnx.stat().st_size
        again = tmp_path / "again.py"
        if model.trial is None:
            with pytest.raises(InputError, match="a script each"):
                studio.download(job.champion, again, format="script")
        else:
            text = studio.download(job.champion, again, format="script").read_text()
            assert compile(text, "again.py", "exec")
            assert text == studio.script(job_id, model.trial, again).read_text()
        for wrong in ({"variant": "tiny"}, {"format": "exe"}, {"ml": 4}):
            with pytest.raises(InputError, match="There is no"):
                studio.download(job.champion, tmp_path / "no", **wrong)
        assert [worker.version for worker in studio.workers()] == [__version__]
        rests_soon(studio)


def explained(url: str, model_id: str, row: dict[str, object], whole: bool) -> None:
    """`whole`: nothing was left out for want of time, as on a machine that is busy."""
    with httpx.Client(base_url=f"{url}/api/results/model/{model_id}", timeout=30) as model:
        told = model.post("/contributions", json={"row": row, "label": "lily"}).json()
        total = told["base"] + sum(each["contribution"] for each in told["columns"])
        assert (told["label"], total) == ("lily", pytest.approx(told["prediction"]))
        curve = model.get("/dependence", params={"column": "colour"}).json()
        assert len(curve["curves"]) == 3
        found = model.post("/similar", json={"row": row, "count": 3}).json()
        assert [each["actual"] for each in found] == ["iris"] * 3
        assert model.post("/contributions", json={"row": row, "label": "oak"}).status_code == 422
        assert model.get("/dependence", params={"column": "oak"}).json()["code"] == "contract"
        parts = model.get("/explanations").json()["diagnostics"].get("parts", {"columns": []})
        assert {each["column"] for each in parts["columns"]} == {"petals", "height", "colour"} or not whole


def rests_soon(studio: Studio) -> None:
    """A worker tells what it does every few seconds."""
    until = time.monotonic() + 10
    while [worker.status for worker in studio.workers()] != ["idle"]:
        assert time.monotonic() < until, "the worker still says that it is busy"
        time.sleep(0.2)


def answers(studio: Studio, model_id: str, dataset_id: str, folder: Path) -> None:
    """A file and a dataset, compared with the training and then predicted as jobs."""
    before = studio.compare_file(model_id, folder / "flowers.csv")
    assert (before.rows, before.drifted) == (ROWS, ())
    assert studio.compare_dataset(model_id, dataset_id).columns == before.columns
    started = studio.predict_file(model_id, folder / "flowers.csv", "parquet")
    done = studio.answers(started.job_id, folder / "answers.parquet", timeout_s=60)
    assert (done.status, done.done, done.rows, done.model_id) == ("finished", ROWS, ROWS, model_id)
    assert done.drift is not None
    assert done.drift.drifted == ()
    found = pl.read_parquet(folder / "answers.parquet")
    assert found.columns == [
        "prediction",
        *(f"probability_{k}" for k in ("iris", "lily", "rose")),
        "warnings",
    ]
    same = studio.predict_dataset(model_id, dataset_id)
    studio.answers(same.job_id, folder / "answers.csv", timeout_s=60)
    assert pl.read_csv(folder / "answers.csv")["prediction"].equals(found["prediction"])


def moved(studio: Studio, model_id: str, folder: Path) -> None:
    """Rows of another origin, by a file, by a dataset, and in the answers of a job."""
    later = pl.read_csv(folder / "flowers.csv")
    later = later.with_columns(pl.col("height") + 40, colour=pl.lit("green"))
    later.write_csv(folder / "moved.csv")
    told = studio.compare_file(model_id, folder / "moved.csv")
    found = {each.column: each for each in told.columns}
    assert told.rows == ROWS
    assert {each.column for each in told.drifted} == {"height", "colour"}
    assert (found["colour"].new_values, found["colour"].new_rows) == (("green",), ROWS)
    dataset = studio.upload(folder / "moved.csv")
    assert studio.compare_dataset(model_id, dataset.id) == told
    started = studio.predict_dataset(model_id, dataset.id)
    assert studio.answers(started.job_id, folder / "moved-answers.csv", timeout_s=60).drift == told
