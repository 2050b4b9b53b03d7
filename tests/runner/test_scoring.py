"""Files are predicted piece by piece, here and in a child process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flowml.automl.onnx import build
from flowml.automl.onnx.metadata import add
from flowml.automl.serve import Predictor
from flowml.runner.scoring import compare_file, score_and_compare, score_file
from flowml.runner.scoring_child import compare_in_child, score_in_child
from flowml.storage.drift import reference
from flowml.storage.errors import BrokenFile, Conflict, ContractError, FileError, SpecError
from flowml.storage.records import Severity, Task
from tests.automl.conftest import mixed_table
from tests.automl.onnx.champions import train


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trained = train(Task.BINARY, ("lightgbm",))
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    path.write_bytes(build(trained.contract, trained.members))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    mixed_table(120, seed=7).with_columns(extra=pl.lit(1)).write_csv(tmp_path / "rows.csv")
    return tmp_path / "rows.csv"


def test_a_file_gets_the_answers_of_its_rows(model: Path, table: Path, tmp_path: Path) -> None:
    predictor = Predictor(model)
    heard: list[tuple[int, int | None]] = []
    out = tmp_path / "out.parquet"
    done = score_file(predictor, table, "rows.csv", out, lambda *told: heard.append(told))
    answers = pl.read_parquet(out)
    whole = predictor.predict(mixed_table(120, seed=7))
    assert whole.probabilities is not None
    assert answers["probability_yes"].to_numpy() == pytest.approx(whole.probabilities[:, 1], abs=1e-7)
    assert answers["prediction"].to_list() == whole.values.tolist()
    assert (done.rows, heard) == (120, [(120, None)])
    assert [str(warning) for warning in done.warnings] == [
        "row 0, extra: not known to the model: ignored (and 119 more rows)"
    ]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_fails_leaves_no_file(model: Path, table: Path, tmp_path: Path) -> None:
    table.write_text(table.read_text() + "1,2\n")
    with pytest.raises(BrokenFile, match="fields of the header"):
        score_file(Predictor(model), table, "rows.csv", tmp_path / "out.csv")
    with pytest.raises(SpecError, match="ods"):
        score_file(Predictor(model), table, "rows.csv", tmp_path / "out.ods")
    (tmp_path / "strange.csv").write_text("x,y\n1,2\n")
    with pytest.raises(ContractError, match="given: x, y"):
        score_file(Predictor(model), tmp_path / "strange.csv", "strange.csv", tmp_path / "out.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "strange.csv"}


def test_a_child_answers_alike_and_tells_what_went_wrong(model: Path, table: Path, tmp_path: Path) -> None:
    done = score_in_child(model, table, "rows.csv", tmp_path / "out.csv")
    assert (done.rows, done.more_warnings, len(done.warnings)) == (120, 0, 1)
    wanted = score_file(Predictor(model), table, "rows.csv", tmp_path / "here.csv")
    assert wanted.rows == 120
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()
    with pytest.raises(ContractError, match="None of the columns"):
        score_in_child(model, _strange(tmp_path), "strange.csv", tmp_path / "no.csv")


def test_rows_are_compared_before_and_after_alike(model: Path, tmp_path: Path) -> None:
    told = {"reference": reference(mixed_table().drop("note")).to_dict()}
    (tmp_path / "told.onnx").write_bytes(add(model.read_bytes(), told))
    rows, predictor = tmp_path / "rows.csv", Predictor(tmp_path / "told.onnx")
    mixed_table(150, seed=5).with_columns(plan=pl.lit("gold")).drop("city").write_csv(rows)
    heard: list[tuple[int, int | None]] = []
    before = compare_file(predictor, rows, "rows.csv", lambda *told: heard.append(told))
    assert heard == [(150, None)]
    assert {path.name for path in tmp_path.iterdir()} == {"told.onnx", "rows.csv"}
    assert (before.rows, before.columns[0].column, before.columns[0].severity) == (
        150,
        "plan",
        Severity.WARNING,
    )
    assert before.absent == ("city",)
    assert "city" not in {each.column for each in before.columns}
    (tmp_path / "rows.jsonl").write_text(pl.read_csv(rows).write_ndjson())
    assert compare_file(predictor, tmp_path / "rows.jsonl", "rows.jsonl").absent == ("city",)
    assert compare_in_child(tmp_path / "told.onnx", rows, "rows.csv") == before
    assert score_and_compare(predictor, rows, "rows.csv", tmp_path / "out.csv").drift == before
    with pytest.raises(ContractError, match="None of the columns"):
        compare_in_child(tmp_path / "told.onnx", _strange(tmp_path), "strange.csv")
    with pytest.raises(SpecError, match="does not tell how its training table was spread"):
        compare_in_child(model, rows, "rows.csv")


def _strange(folder: Path) -> Path:
    (folder / "strange.csv").write_text("x,y\n1,2\n")
    return folder / "strange.csv"


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "large.parquet"
    pl.DataFrame({"age": np.arange(2_000_000)}).write_parquet(path)
    yield path
    assert not (tmp_path / "out.parquet").exists()


def test_a_child_is_cancelled(model: Path, large: Path, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="cancelled"):
        score_in_child(model, large, "large.parquet", tmp_path / "out.parquet", cancelled=lambda: True)


def test_a_child_may_take_only_so_much_memory(
    model: Path, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowml.runner.scoring_child.BASE_MEMORY", 1 << 28)
    monkeypatch.setattr("flowml.runner.scoring_child.MEMORY_PER_BYTE", 1)
    with pytest.raises(FileError, match=r"memory|end early"):  # libraries die of it in ways of their own
        score_in_child(model, large, "large.parquet", tmp_path / "out.parquet")
