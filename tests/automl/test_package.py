"""A package predicts with onnxruntime and numpy alone, and says what it holds."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flowml.automl.card import to_markdown
from flowml.automl.champion import Champion
from flowml.automl.contract import ContractColumn, Kind
from flowml.automl.contract.values import number
from flowml.automl.finish import finish
from flowml.automl.metrics import METRICS
from flowml.automl.onnx import build
from flowml.automl.outcome import load_whole_seen, trial_folder
from flowml.automl.package import pack, schema
from flowml.automl.package.columns import described
from flowml.automl.package.page import to_html
from flowml.automl.serve import Predictor
from flowml.storage.errors import ContractError
from flowml.storage.records import COMMA_DECIMALS, Role, Task
from tests.automl.conftest import mixed_table
from tests.automl.onnx.champions import train
from tests.automl.tables import customers
from tests.automl.test_finish import study

NEEDED = ("numpy", "numpy.libs", "onnxruntime")  # folders of what is installed


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to import from with nothing but numpy and onnxruntime."""
    folder = tmp_path_factory.mktemp("bare")
    spec = find_spec("numpy")
    assert spec is not None
    assert spec.origin is not None
    installed = Path(spec.origin).parent.parent
    for name in NEEDED:
        if (installed / name).exists():
            (folder / name).symlink_to(installed / name)
    return folder


def unpack(content: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder


def started(package: Path, rows: Path, bare: Path) -> subprocess.CompletedProcess[str]:
    """`-S` leaves out whatever else is installed."""
    return subprocess.run(
        [sys.executable, "-S", str(package / "predict.py"), str(rows)],
        env={"PYTHONPATH": str(bare), "PATH": os.environ["PATH"], "ORT_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def run(package: Path, rows: Path, bare: Path) -> pl.DataFrame:
    ran = started(package, rows, bare)
    assert (ran.returncode, ran.stderr) == (0, "")
    return pl.read_csv(io.StringIO(ran.stdout))


def scored(answers: pl.DataFrame, rows: pl.DataFrame, champion: Champion) -> float:
    """By the metric of the leaderboard, from what a package wrote."""
    target = champion.contract["target"]
    if champion.task is Task.REGRESSION:
        y, scores = rows[target].to_numpy(), answers["prediction"].to_numpy()
    else:
        classes = champion.contract["classes"]
        y = np.array([classes.index(label) for label in rows[target]])
        scores = answers.select(f"probability_{name}" for name in classes).to_numpy()
    return METRICS[champion.metric].score(y, scores, None)


@pytest.mark.parametrize("target", ["left", "plan", "spend"])
def test_alone_it_gives_the_score_of_the_leaderboard_again(
    target: str, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the very rows that were held out in training, where the models of the fold serve."""
    monkeypatch.setattr("flowml.automl.finish.leaves_few", lambda *_: False)
    linear = "ridge" if target == "spend" else "logistic"
    table, records = study(tmp_path, target, (linear, "lightgbm", "catboost"), split="holdout", folds=None)
    champion = finish(table, tmp_path, records)
    held_out = customers(240)[table.folds.rows]
    held_out.write_csv(tmp_path / "rows.csv")
    package = unpack(pack((tmp_path / "champion" / "model.onnx").read_bytes()), tmp_path / "package")
    answers = run(package, tmp_path / "rows.csv", bare)
    assert scored(answers, held_out, champion) == pytest.approx(champion.score, abs=1e-6)
    board = next(row for row in champion.leaderboard if row.champion)
    assert board.score == champion.score


def test_models_of_all_rows_answer_in_their_package_as_when_they_were_fitted(
    bare: Path, tmp_path: Path
) -> None:
    """They have seen the rows that were held out: the score is theirs no more, the answers are."""
    table, records = study(tmp_path, "spend", ("lightgbm",), split="holdout", folds=None)
    champion = finish(table, tmp_path, records)
    assert any("learned all rows" in note for note in champion.notes)
    rows = customers(240)[table.folds.rows]
    rows.write_csv(tmp_path / "rows.csv")
    package = unpack(pack((tmp_path / "champion" / "model.onnx").read_bytes()), tmp_path / "package")
    answers = run(package, tmp_path / "rows.csv", bare)
    seen = load_whole_seen(trial_folder(tmp_path, 0))
    assert answers["prediction"].to_numpy() == pytest.approx(seen, rel=1e-6)
    again = METRICS[champion.metric].score(rows["spend"].to_numpy(), seen, None)
    assert scored(answers, rows, champion) == pytest.approx(again, abs=1e-6)


def test_rows_of_all_kinds_get_the_answers_that_they_get_here(bare: Path, tmp_path: Path) -> None:
    trained = train(Task.BINARY, ("lightgbm", "logistic"))
    predictor = Predictor(content := build(trained.contract, trained.members))
    package = unpack(pack(content), tmp_path / "package")
    frame = mixed_table(120, seed=4)
    odd: list[dict[str, str]] = [
        {"city": "Atlantis", "age": "x", "joined": "soon"},
        {"city": "x" * 200_000},
        {"age": "1e400", "income": "-inf", "seen": "None"},
        {"age": "１２", "income": "١٢"},
        {"age": " 1_000 ", "income": "TRUE", "joined": "2020-02-30", "seen": "1969-12-31T23:59:59.5-01:00"},
        {
            "age": "NA",
            "income": "3.5e38",
            "joined": "9999-12-31T23:59-02:00",
            "seen": "0001-01-01T00:00+14:00",
        },
    ]
    texts = frame.select(pl.all().cast(pl.String))
    rows = pl.concat([texts, pl.DataFrame(odd)], how="diagonal").select(reversed(frame.columns))
    rows.with_columns(more=pl.lit("and more")).write_csv(tmp_path / "rows.csv")
    here = predictor.predict(rows)
    there = run(package, tmp_path / "rows.csv", bare)["probability_yes"].to_numpy()
    assert here.probabilities is not None
    assert there == pytest.approx(here.probabilities[:, 1], abs=1e-6)
    assert run(package, package / "rows.csv", bare).height == 1
    (tmp_path / "none.csv").write_text(",".join(frame.columns) + "\n")
    assert run(package, tmp_path / "none.csv", bare).height == 0


def test_dates_and_numbers_are_read_as_training_wrote_them(bare: Path, tmp_path: Path) -> None:
    trained = train(Task.BINARY, ("logistic",))
    written = {"income": (COMMA_DECIMALS,), "joined": ("%d.%m.%y",), "seen": ("%m/%d/%Y %H:%M:%S%.f",)}
    columns = tuple(replace(c, written=written.get(c.name, ())) for c in trained.contract.columns)
    contract = replace(trained.contract, columns=columns)
    content = build(contract, trained.members)
    first, late = pl.int_range(pl.len()) == 0, dt.date(2069, 5, 1)
    frame = mixed_table(60, seed=8).with_columns(joined=pl.when(first).then(late).otherwise("joined"))
    texts = frame.with_columns(
        pl.col("income").cast(pl.String).str.replace(".", ",", literal=True),
        pl.col("joined").dt.strftime("%d.%m.%y"),
        pl.col("seen").dt.strftime("%m/%d/%Y %H:%M:%S"),
    )
    texts.rename({"income": " income\n"}).write_csv(tmp_path / "rows.csv")
    there = run(unpack(pack(content), tmp_path / "package"), tmp_path / "rows.csv", bare)
    here = Predictor(content).predict(frame)
    assert here.probabilities is not None
    assert there["probability_yes"].to_numpy() == pytest.approx(here.probabilities[:, 1], abs=1e-6)
    assert Predictor(content).predict(texts).probabilities == pytest.approx(here.probabilities, abs=1e-7)


@pytest.mark.parametrize("text", ["12:32:06+02:00", "12:32:06.5Z", "12:32-03", "12:32", "1e-05", "25:00"])
def test_the_zone_of_a_time_of_the_day_is_left_out(text: str) -> None:
    known, _ = number(text, "time")
    told = described(ContractColumn("opens", Role.NUMERIC, Kind.NUMBER, type="time"))
    for pattern, instead in told["x-rewrites"]:
        text = re.sub(pattern, instead, text)
    if math.isnan(known):
        with pytest.raises(ValueError, match="hour must be in"):
            dt.datetime.fromisoformat(text)
        return
    clock = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) if ":" in text else None
    assert known == (float(text) if clock is None else clock.timestamp())


def test_it_holds_what_is_needed_to_understand_it(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", ("logistic",))
    finish(table, tmp_path, records)
    content = (tmp_path / "champion" / "model.onnx").read_bytes()
    package = unpack(packed := pack(content), tmp_path / "package")
    assert packed == pack(content)
    assert {path.name for path in package.iterdir()} == {
        "model.onnx", "predict.py", "requirements.txt", "schema.json", "request.json", "rows.csv",
        "card.md", "card.html"
    }  # fmt: skip
    assert (package / "model.onnx").read_bytes() == content
    lines = (package / "requirements.txt").read_text().splitlines()
    assert [line.partition("==")[0] for line in lines] == ["numpy", "onnxruntime"]
    schema = json.loads((package / "schema.json").read_text())
    assert set(schema["properties"]) == {"age", "income", "region", "member"}
    assert schema["x-classes"] == ["no", "yes"]
    request = json.loads((package / "request.json").read_text())["data"]
    assert list(Predictor(content).predict(request).warnings) == []
    script = (package / "predict.py").read_text().splitlines()
    assert len([line for line in script if line.strip()]) <= 43

    assert "The script reads CSV" in (package / "card.md").read_text()
    assert "The script reads CSV" in (package / "card.html").read_text()


def test_a_file_without_any_known_column_is_refused(bare: Path, tmp_path: Path) -> None:
    trained = train(Task.BINARY, ("dummy",))
    package = unpack(pack(build(trained.contract, trained.members)), tmp_path / "package")
    (tmp_path / "rows.csv").write_text("Age;City\n3;Bonn\n")
    ran = started(package, tmp_path / "rows.csv", bare)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("None of the columns is known to the model. It expects: ")


def test_a_model_of_others_is_not_packed() -> None:
    import onnx

    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Abs", ["x"], ["y"])], "g", [value], [
        onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    ])  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    with pytest.raises(ContractError):
        pack(model.SerializeToString())


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert all(name not in ("src", "href", "onload") for name, _ in attrs)
        assert tag != "script"
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_of_a_card_is_whole_safe_and_says_the_same(tmp_path: Path) -> None:
    table, records = study(tmp_path, "plan", ("logistic", "lightgbm"))
    card = finish(table, tmp_path, records).card
    evil = "<script>alert(1)</script> a|b *c* `d` \\e"
    card["columns"][0]["name"] = card["name"] = evil
    page = _Page()
    page.feed(to_html(card))
    assert page.open == []
    words = "".join(page.texts)
    assert words.count("<script>alert(1)</script> a|b *c* `d` \\e") >= 3
    assert "Quality" in words
    assert evil not in to_markdown(card)


def test_labels_that_a_spreadsheet_would_run_are_quoted() -> None:
    trained = train(Task.BINARY, ("dummy",))
    contract = replace(trained.contract, classes=("=1+1", "plain"))
    found = schema(Predictor(build(contract, trained.members)))
    assert found["x-quoted"] == {"=1+1": "'=1+1"}
