"""Each row of a leaderboard is rebuilt by its script, which knows nothing of us."""

from __future__ import annotations

import ast
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.features import ENCODINGS, SUPERVISED
from flowml.automl.script import notebook_of, script_of
from flowml.automl.script.written import WRITTEN
from flowml.automl.splitters import by_size
from flowml.storage.errors import SpecError
from flowml.storage.records import Role, Task, TrialState
from tests.automl.script.rows import TARGETS, Study, study, table

TOLERANCE = 1e-6
PUBLIC = {"catboost", "lightgbm", "numpy", "polars", "scipy", "sklearn", "threadpoolctl", "xgboost"}
UNWRITTEN = {"ada_boost", "gaussian_nb", "k_nearest_neighbors", "mlp"}  # rebuilt by `flowml verify` alone
HOSTILE = "\"\"\"\nraise SystemExit('run')\n#'\\{x} <b>שלום 😀"


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Study]:
    return {target: study(tmp_path_factory.mktemp(target), target) for target in TARGETS}


def same(found: tuple[list[float], float | None], row: Any) -> None:
    assert found[0] == pytest.approx(list(row.fold_scores), rel=TOLERANCE, abs=TOLERANCE)
    assert found[1] == pytest.approx(row.score, rel=TOLERANCE, abs=TOLERANCE)


def test_each_algorithm_can_be_written_or_is_known_not_to() -> None:
    assert set(ALGORITHMS) - set(WRITTEN) <= UNWRITTEN
    assert set(WRITTEN) <= set(ALGORITHMS)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("algorithm", list(WRITTEN))
def test_a_script_gives_the_scores_of_its_row(studies: dict[str, Study], target: str, algorithm: str) -> None:
    known = studies[target]
    if known.prepared.problem.task not in ALGORITHMS[algorithm].tasks:
        return
    row = known.row(algorithm)
    assert row.state is TrialState.COMPLETE, row.cause
    same(known.rebuilt(row), row)


@pytest.mark.parametrize("encoding", [*ENCODINGS, *SUPERVISED])
def test_each_encoding_can_be_written(studies: dict[str, Study], encoding: str) -> None:
    row = studies["left"].row("lightgbm", encoding=encoding)
    same(studies["left"].rebuilt(row), row)


SPLITS: dict[str, dict[str, Any]] = {
    "groups": {"roles": {"household": Role.GROUP}, "folds": 3},
    "time": {"split": "time:joined", "folds": 3},
    "held out": {"split": "holdout", "folds": None},
    "drawn twice": {"folds": None},
    "weights": {"roles": {"weight": Role.WEIGHT}},
}


@pytest.mark.parametrize("how", list(SPLITS))
@pytest.mark.parametrize("target", ["left", "spend"])
def test_each_way_to_split_can_be_written(tmp_path: Path, how: str, target: str) -> None:
    known = study(tmp_path, target, **SPLITS[how])
    row = known.row("lightgbm")
    same(known.rebuilt(row), row)


@pytest.mark.parametrize(
    ("target", "metric"),
    [("plan", "log_loss"), ("left", "brier"), ("left", "f1"), ("plan", "mcc"), ("spend", "poisson_deviance")],
)
def test_what_a_metric_asks_for_is_written(tmp_path: Path, target: str, metric: str) -> None:
    known = study(tmp_path, target, table().drop("note", "city"), metric=metric)
    row = known.row("random_forest")
    same(known.rebuilt(row), row)


def test_a_logarithm_and_a_sample_of_the_rows_are_written(studies: dict[str, Study]) -> None:
    row = studies["spend"].row("lightgbm", rows=80, target="log")
    same(studies["spend"].rebuilt(row), row)
    row = studies["plan"].row("lightgbm", rows=80)
    same(studies["plan"].rebuilt(row), row)


def test_a_row_that_was_given_up_is_rebuilt_as_far_as_it_came(studies: dict[str, Study]) -> None:
    row = studies["left"].row("lightgbm")
    pruned = dataclasses.replace(row, fold_scores=row.fold_scores[:1], score=None)
    assert studies["left"].rebuilt(pruned) == (list(row.fold_scores[:1]), None)


def test_names_of_a_table_are_never_run(tmp_path: Path) -> None:
    frame = table().select("age", "region", "left").rename({"age": HOSTILE, "left": f"{HOSTILE} left"})
    frame = frame.with_columns(pl.col("region").replace("n", HOSTILE))
    frame = frame.with_columns(pl.col(f"{HOSTILE} left").replace("yes", HOSTILE))
    known = study(tmp_path, f"{HOSTILE} left", frame)
    basis = dataclasses.replace(known.basis, job_id=HOSTILE, sha256=HOSTILE)
    known = dataclasses.replace(known, basis=basis)
    row = known.row("catboost")
    same(known.rebuilt(dataclasses.replace(row, versions={HOSTILE: HOSTILE})), row)


def test_a_script_chooses_the_folds_by_the_classes_too(studies: dict[str, Study]) -> None:
    known, rows = studies["plan"].basis, 80_000
    spec = dataclasses.replace(known.spec, folds=None, budget_s=60.0)
    basis = dataclasses.replace(known, spec=spec, rows=rows)
    columns = len(basis.known.columns)
    assert basis.split[:2] == by_size(rows, columns, 60.0, 3)[:2] == ("kfold", 3)
    assert by_size(rows, columns, 60.0)[:2] == ("kfold", 5)


def test_a_script_runs_where_we_are_not(studies: dict[str, Study]) -> None:
    known = studies["left"]
    text = script_of(known.row("hist_gradient_boosting"), known.basis)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            libraries = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
            assert libraries <= PUBLIC
    script = known.path.with_name("alone.py")
    script.write_text(text, "utf-8")
    hidden = "import runpy, sys; sys.modules['flowml'] = None; "
    hidden += "runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    command = [sys.executable, "-W", "error", "-c", hidden, str(script), str(known.path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.splitlines()
    now, then = first.removeprefix("fold 1: ").split(", stored ")
    assert now == then
    assert last.startswith("all rows: ")
    command[-1] = "customers.csv"
    other = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert other.returncode == 1
    assert other.stderr.startswith("Name the table as a Parquet file")


def test_a_script_of_a_plain_table_is_short(tmp_path: Path) -> None:
    known = study(tmp_path, "left", table().select("age", "region", "left"))
    lines = [line for line in script_of(known.row("lightgbm"), known.basis).splitlines() if line.strip()]
    assert len(lines) <= 173


def test_a_notebook_holds_the_same(studies: dict[str, Study]) -> None:
    known = studies["left"]
    row = known.row("decision_tree")
    book = json.loads(notebook_of(row, known.basis))
    assert (book["nbformat"], [cell["cell_type"] for cell in book["cells"]]) == (
        4,
        ["markdown"] + ["code"] * 5,
    )
    code = ["".join(cell["source"]) for cell in book["cells"][1:]]
    code[-1] = code[-1].replace("table.parquet", str(known.path))
    space: dict[str, Any] = {"__name__": "__main__"}
    for each in code:
        exec(each, space)  # noqa: S102
    same((space["scores"], space["score"]), row)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"algorithm": "mlp"}, "cannot be written as a script yet"),
        ({"fold_scores": ()}, "has no scores"),
        ({"device": "gpu"}, "ran on a GPU"),
    ],
)
def test_what_cannot_be_written_is_refused(
    studies: dict[str, Study], changes: dict[str, Any], why: str
) -> None:
    row = dataclasses.replace(studies["left"].row("dummy"), **changes)
    with pytest.raises(SpecError, match=why):
        script_of(row, studies["left"].basis)


def test_texts_that_stand_for_numbers_are_refused(tmp_path: Path) -> None:
    frame = table().select("age", "left").with_columns(price=pl.Series([f"{n},5" for n in range(240)]))
    known = study(tmp_path, "left", frame, {"price": Role.NUMERIC})
    assert known.prepared.problem.task is Task.BINARY
    with pytest.raises(SpecError, match="'price' would have to be read from text"):
        script_of(known.row("dummy"), known.basis)
