"""The command lines as a user types them: real processes, real files."""

from __future__ import annotations

import dataclasses
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import flowml
from flowml.runner.doctor import CHECKS
from flowml.storage.records import Capabilities, Worker
from flowml.ui.cli import workers
from tests.ui.commands import BIN, program, within

ROW = ("rank", "name", "algorithm", "score", "score_std", "metric", "fit_seconds", "latency_ms", "size_bytes")
ROW += ("state", "cause")
PAPERS = {"model.onnx", "leaderboard.json", "receipt.json", "explain.json", "study.json"}
PAPERS |= {"card.md", "card.json"}


@pytest.mark.parametrize("name", ["flowml", "flowml-worker"])
def test_a_program_says_its_version(name: str) -> None:
    said = program("--version", name=name)
    assert (said.returncode, said.stdout) == (0, f"FlowML Studio {flowml.__version__}\n")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(0)
    size, city = draw.normal(size=400), draw.choice(["Bonn", "Köln", "Berlin"], 400)
    bought = size + (city == "Bonn") + draw.normal(size=400) / 2 > 0
    path = tmp_path_factory.mktemp("table") / "customers.csv"
    frame = pl.DataFrame({"size": size, "city": city, "bought": np.where(bought, "yes", "no")})
    frame.write_csv(path)
    return path


@pytest.fixture(scope="module")
def trained(table: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder that a training wrote, and the last line that it printed."""
    out = tmp_path_factory.mktemp("trained") / "made" / "here"
    few = ("--algorithms", "logistic,extra_trees", "--trials", "3")
    done = program("train", table, "--target", "bought", "--budget", "1m", *few, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout.splitlines()[-1])


def test_version_and_help_answer() -> None:
    assert program("version").stdout.strip() == flowml.__version__
    shown = program("--help").stdout
    for command in ("up", "train", "predict", "verify", "package", "doctor", "version"):
        assert command in shown


def test_no_command_line_loads_a_model_library() -> None:
    heavy = ("sklearn", "lightgbm", "xgboost", "catboost", "optuna", "polars")
    code = (
        "import sys, flowml.ui.cli.train, flowml.ui.cli.predict, flowml.ui.cli.worker; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_commands_that_ask_a_studio_load_nothing_that_works_there() -> None:
    works = ("duckdb", "polars", "pyarrow", "numpy", "redis", "fastapi")
    code = f"import sys, flowml.ui.client; print([name for name in {works} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_train_writes_the_model_and_its_papers(trained: tuple[Path, dict[str, Any]]) -> None:
    out, said = trained
    assert {path.name for path in out.iterdir()} - {"model.compact.onnx"} == PAPERS
    rows = json.loads((out / "leaderboard.json").read_text())
    assert set(ROW) <= set(rows[0])
    receipt = json.loads((out / "receipt.json").read_text())
    assert receipt["budget_s"] == 60.0
    assert sum(phase["seconds"] for phase in receipt["phases"]) == pytest.approx(receipt["used_s"], abs=0.1)
    assert said["model"] == str(out / "model.onnx")
    assert said["metric"] == "roc_auc"
    assert said["trials"] == sum(receipt["trials"].values())
    assert said["score"] > 0.8
    assert said["champion"] == next(row["name"] for row in rows if row["champion"])


def test_the_budget_is_kept(table: Path, tmp_path: Path) -> None:
    done = program("train", table, "--target", "bought", "--budget", "4", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["budget_s"] == 4.0
    assert receipt["used_s"] < 4 + 4
    assert "Written to" in done.stdout


def test_the_clock_of_a_budget_begins_with_the_process() -> None:
    code = (
        "import sys, time; sys.argv, first = ['flowml'], time.time(); "
        "from flowml.ui.cli.train import process_started; print(first, process_started())"
    )
    before = time.time()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, started = map(float, done.stdout.split())
    assert before - 0.05 <= started <= first


def test_train_follows_roles_that_are_given(table: Path, tmp_path: Path) -> None:
    few = ("--algorithms", "logistic", "--trials", "1", "--role", "city=ignored")
    done = within("train", table, "--target", "bought", *few, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 column is not learned from: city (ignored)." in done.stdout
    assert "city" not in {
        column["name"] for column in json.loads((tmp_path / "card.json").read_text())["columns"]
    }


def test_package_makes_a_zip(trained: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    done = within("package", trained[0], "--out", tmp_path / "bought.zip", "--json", "--ml", 3)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["size"] == (tmp_path / "bought.zip").stat().st_size
    with zipfile.ZipFile(tmp_path / "bought.zip") as package:
        (tmp_path / "model.onnx").write_bytes(package.read("model.onnx"))
    rows = pl.DataFrame({"size": [3.0, -3.0], "city": ["Bonn", "Berlin"]})
    assert flowml.load(tmp_path / "model.onnx").predict(rows).tolist() == ["yes", "no"]


def test_verify_reproduces_every_row_and_the_champion(trained: tuple[Path, dict[str, Any]]) -> None:
    done = within("verify", trained[0])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "5 rows: 5 same."
    assert "The champion" in done.stdout


def test_verify_finds_what_was_made_up_and_another_table(
    trained: tuple[Path, dict[str, Any]], table: Path, tmp_path: Path
) -> None:
    study = json.loads((trained[0] / "study.json").read_text())
    study["trials"][1]["fold_scores"][0] += 0.001
    (tmp_path / "study.json").write_text(json.dumps(study))
    number = study["trials"][1]["number"]
    done = within("verify", tmp_path, "--row", number, "--json")
    assert done.returncode == 1
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["reproduced"], said["different"], len(said["rows"])) == (False, 1, 1)
    assert said["rows"][0]["gap"] == pytest.approx(0.001)
    other = tmp_path / "other.csv"
    other.write_text(table.read_text() + "1.0,Bonn,yes\n")
    refused = within("verify", tmp_path, "--data", other)
    assert refused.returncode == 1
    assert "other.csv is not the table that was trained on" in refused.stderr


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_predict_writes_a_table(
    trained: tuple[Path, dict[str, Any]], table: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"predictions{suffix}"
    done = within("predict", trained[0] / "model.onnx", table, "--out", out)
    assert done.returncode == 0, done.stderr
    found = pl.read_csv(out) if suffix == ".csv" else pl.read_parquet(out)
    assert found.columns == ["prediction", "probability_no", "probability_yes", "warnings"]
    assert found.height == 400
    truth = pl.read_csv(table)["bought"]
    assert (found["prediction"] == truth).mean() > 0.8


def test_drift_is_told_before_a_row_is_predicted(
    trained: tuple[Path, dict[str, Any]], table: Path, tmp_path: Path
) -> None:
    alike = within("drift", trained[0] / "model.onnx", table)
    assert alike.stdout.splitlines() == [
        "400 rows compared with those of the training.",
        "They are spread alike.",
    ], alike.stderr
    pl.read_csv(table).with_columns(city=pl.lit("Rome")).write_csv(tmp_path / "moved.csv")
    told = within("drift", trained[0], tmp_path / "moved.csv")
    assert "400 rows with values not seen before: 'Rome'" in told.stdout, told.stderr
    as_json = json.loads(within("drift", trained[0], tmp_path / "moved.csv", "--json").stdout)
    assert (as_json["rows"], as_json["columns"][0]["column"]) == (400, "city")
    pl.read_csv(table).drop("city").write_csv(tmp_path / "narrow.csv")
    done = within("predict", trained[0], tmp_path / "narrow.csv", "--out", tmp_path / "out.csv")
    assert "Not in this table: city." in done.stdout, done.stderr


def test_the_model_loads_in_python(trained: tuple[Path, dict[str, Any]]) -> None:
    model = flowml.load(str(trained[0] / "model.onnx"))
    rows = pl.DataFrame({"size": [3.0, -3.0], "city": ["Bonn", "Berlin"]})
    assert model.predict(rows).tolist() == ["yes", "no"]
    assert model.predict_proba(rows.to_pandas()).shape == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train", "TABLE", "--target", "bougth", "--out", "OUT"], 1, "Did you mean 'bought'?"),
        (["train", "nowhere.csv", "--target", "a", "--out", "OUT"], 1, "no file nowhere.csv"),
        (["train", "EMPTY", "--target", "a", "--out", "OUT"], 1, "empty"),
        (["train", "TABLE", "--target", "bought", "--out", "TABLE"], 1, "cannot be written"),
        (["train", "TABLE", "--target", "bought", "--out", "OUT", "--algorithms", "magic"], 1, "magic"),
        (["train", "TABLE", "--target", "bought", "--out", "OUT", "--budget", "soon"], 2, "60s, 5m, 1h"),
        (["train", "TABLE", "--target", "bought", "--out", "OUT", "--role", "city"], 2, "COLUMN=ROLE"),
        (["train", "TABLE", "--target", "bought", "--out", "OUT", "--role", "city=town"], 2, "categorical"),
        (["train", "TABLE", "--target", "bought", "--out", "OUT", "--role", "town=text"], 1, "'town'"),
        (["train", "TABLE", "--out", "OUT"], 2, "--target"),
        (["verify", "nowhere"], 1, "no study.json"),
        (["predict", "TABLE", "TABLE", "--out", "OUT/p.csv"], 1, "onnx"),
        (["predict", "nowhere.onnx", "TABLE", "--out", "OUT/p.csv"], 1, "no model file nowhere.onnx"),
        (["drift", "nowhere.onnx", "TABLE"], 1, "no model file nowhere.onnx"),
        (["package", "model-1", "--out", "OUT/p.zip"], 1, "models download model-1 --format package"),
        (["drift", "OUT", "OUT/nothing.csv"], 1, "no file"),
        (["predict", "nowhere.onnx", "TABLE", "--out", "OUT/p.docx"], 1, ".csv or .parquet"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_or_two(
    arguments: list[str], code: int, words: str, table: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    places = {"TABLE": str(table), "OUT": str(tmp_path), "EMPTY": str(empty)}
    filled = ["/".join(places.get(part, part) for part in word.split("/")) for word in arguments]
    run = program if words in ("no file nowhere.csv", "--target") else within
    done = run(*(places.get(word, joined) for word, joined in zip(arguments, filled, strict=True)))
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert code == 2 or len(errors) == 1


def start_training(table: Path, out: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [BIN / "flowml", "train", str(table), "--target", "bought", "--budget", "90s", "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if "best so far" in line:
            return child
    raise AssertionError("it never found a model")


def test_the_first_interrupt_keeps_the_best(table: Path, tmp_path: Path) -> None:
    child = start_training(table, tmp_path / "out")
    began = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=100)
    assert child.returncode == 0, said
    assert time.monotonic() - began < 10
    assert {path.name for path in (tmp_path / "out").iterdir()} - {"model.compact.onnx"} == PAPERS


def test_the_second_interrupt_cancels(table: Path, tmp_path: Path) -> None:
    child = start_training(table, tmp_path / "out")
    child.send_signal(signal.SIGINT)
    time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=40)
    assert child.returncode == 130, said
    assert list((tmp_path / "out").iterdir()) == []


def test_doctor_looks_at_everything(tmp_path: Path) -> None:
    done = within("doctor", "--json", FLOWML_HOME=str(tmp_path / "new"), FLOWML_PORT="0")
    assert done.returncode == 0, done.stdout
    said = json.loads(done.stdout)
    assert said["healthy"]
    assert [row["check"] for row in said["checks"]] == [check.name for check in CHECKS]
    assert not (tmp_path / "new").exists()


def test_a_worker_shows_what_it_can_do() -> None:
    said = json.loads(within("probe", "--json", name="flowml-worker").stdout)
    assert said["cpus"] >= 1
    assert said["queues"][0] == "priority"
    assert "memory" in within("probe", name="flowml-worker").stdout
    rows = json.loads(within("queues", "--json", name="flowml-worker").stdout)["queues"]
    assert [row["queue"] for row in rows if row["served"]] == said["queues"]


def test_a_worker_without_redis_says_so(tmp_path: Path) -> None:
    done = within("start", name="flowml-worker", FLOWML_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "--redis or FLOWML_REDIS_URL" in done.stderr
    assert "Traceback" not in done.stderr
    for nothing in ("0", "lots"):
        wrong = within("start", "--max-memory", nothing, name="flowml-worker", FLOWML_HOME=str(tmp_path))
        assert wrong.returncode == 2
        assert "is no size" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        (["--host", "0.0.0.0"], {}, "flowml user add"),
        (["--host", "0.0.0.0"], {"FLOWML_ADMIN_PASSWORD": "short"}, "5 characters"),
        (["--data-dir", "FILE"], {}, "cannot be written"),
        (["--port", "TAKEN"], {}, "is taken"),
        ([], {"FLOWML_REDIS_URL": "redis://127.0.0.1:1/0"}, "Redis"),
        ([], {"FLOWML_PROT": "1"}, "FLOWML_PORT"),
    ],
)
def test_what_keeps_the_studio_down_is_said(
    arguments: list[str], environ: dict[str, str], words: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (tmp_path / "file").touch()
        places = {"TAKEN": str(taken.getsockname()[1]), "FILE": str(tmp_path / "file" / "home")}
        filled = [places.get(word, word) for word in arguments]
        port = [] if "--port" in arguments else ["--port", "0"]
        run = program if words == "Redis" else within
        done = run("up", *filled, *port, **{"FLOWML_HOME": str(tmp_path), **environ})
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_up_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [BIN / "flowml", "up", "--port", "0", "--workers", "0", "--data-dir", str(tmp_path / "home")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    address = next(line.split()[-1] for line in child.stdout if "http://" in line)
    with urllib.request.urlopen(f"{address}/api/health", timeout=20) as answer:
        assert json.load(answer)["version"] == flowml.__version__
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 0, said
    assert "Traceback" not in said


def test_the_memory_of_a_worker_is_shown_with_what_its_trials_may_use() -> None:
    machine = Capabilities("a cpu", 2, 2, 2, None, 8 * 2**30, 4 * 2**30)
    worker = Worker("w1", ("cpu",), machine, 0.0, 0.0)
    shown = dict(workers.ONE)["memory"]
    assert shown(worker) == "8 GiB"
    assert shown(dataclasses.replace(worker, memory_limit=3 * 2**29)) == "1.5 of 8 GiB"
