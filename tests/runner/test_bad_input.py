"""Tables and wishes that cannot be served: each is refused with a clear error, or served with a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from flowml.automl.prepared import Prepared, prepare_frame
from flowml.runner import local
from flowml.runner.fit import Silent, fit
from flowml.runner.papers import MODEL
from flowml.storage.errors import BadTarget, DataError, FlowMLError, SpecError, TooFewRows, UnknownColumn
from flowml.storage.records import JobSpec, Role
from flowml.storage.schema import infer

DRAW = np.random.default_rng(0)
ROWS = 100
TABLE = pl.DataFrame(
    {
        "size": DRAW.normal(size=ROWS),
        "kind": DRAW.choice(["u", "v"], ROWS),
        "y": DRAW.choice(["p", "q"], ROWS),
    }
)


def prepare(frame: pl.DataFrame, target: str = "y", **spec: Any) -> Prepared:
    return prepare_frame(frame, infer(frame), JobSpec(target, **spec))


def with_target(values: list[Any]) -> pl.DataFrame:
    return TABLE.with_columns(y=pl.Series(values, strict=False))


REFUSED: list[tuple[pl.DataFrame, dict[str, Any], type[FlowMLError], str]] = [
    (TABLE, {"target": "z"}, UnknownColumn, "no column 'z'"),
    (with_target([None] * ROWS), {}, BadTarget, "no value in any row"),
    (with_target(["p"] * ROWS), {}, BadTarget, "the same value, 'p'"),
    (with_target([f"p{n}" for n in range(ROWS)]), {}, BadTarget, "100 of them once"),
    (with_target(list(range(ROWS))), {"task": "multiclass"}, BadTarget, "100 of them once"),
    (
        with_target(["p"] * (ROWS - 1) + ["q"]),
        {},
        BadTarget,
        "only one value, 'p', that occurs more than once",
    ),
    (with_target([[1]] * ROWS), {}, BadTarget, "cannot be predicted"),
    (TABLE.head(6), {"folds": 10}, TooFewRows, "10 folds need 10 rows, the table has 6"),
    (TABLE.head(1), {}, TooFewRows, "1 row; at least 4"),
    (TABLE.head(0), {}, TooFewRows, "0 rows; at least 4"),
    (with_target(["p", "p", "q"] + [None] * 97), {}, BadTarget, "occurs more than once"),
    (with_target([1.5, 2.5, 3.5] + [None] * 97), {}, TooFewRows, "3 rows with a usable target"),
    (TABLE.select("y"), {}, DataError, "No column is left to learn from"),
    (TABLE, {"roles": {"size": Role.IGNORED, "kind": Role.IDENTIFIER}}, DataError, "kind .identifier."),
    (TABLE, {"roles": {"size": "number"}}, SpecError, "role of 'size' is 'number'"),
    (TABLE, {"split": "group:y"}, SpecError, "by the target 'y'"),
    (TABLE.with_columns(w=pl.lit(0.0)), {"roles": {"w": "weight"}}, DataError, "only zeros"),
]


@pytest.mark.parametrize(("frame", "spec", "kind", "message"), REFUSED)
def test_what_cannot_be_learned_is_refused_with_what_to_do(
    frame: pl.DataFrame, spec: dict[str, Any], kind: type[FlowMLError], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        prepare(frame, **spec)
    assert caught.value.advice


def test_a_class_of_one_row_is_left_out_and_named() -> None:
    prepared = prepare(with_target(["p"] * 50 + ["r"] * 49 + ["q"]))
    assert prepared.problem.classes == ("p", "r")
    assert prepared.problem.findings[0].message == (
        "1 value of 'y' stands in a single row and is left out: q."
    )


def test_infinite_values_are_missing_and_named() -> None:
    frame = TABLE.with_columns(size=pl.when(pl.col("size") > 1).then(float("inf")).otherwise(pl.col("size")))
    prepared = prepare(frame)
    infinite = int((TABLE["size"] > 1).sum())
    assert int(np.isnan(prepared.feeds["size"]).sum()) == infinite
    assert f"In {infinite} rows 'size' is infinite: taken as missing." in [
        finding.message for finding in prepared.problem.findings
    ]


def test_rules_hold_on_the_way_of_a_user_too(tmp_path: Path) -> None:
    """The error that a child of the lane met arrives with its kind, message and advice."""
    table = tmp_path / "table.csv"
    with_target(["p"] * ROWS).write_csv(table)
    with pytest.raises(BadTarget, match="the same value, 'p'") as caught:
        local.train(table, JobSpec("y", budget_s=20), tmp_path / "out", Silent())
    assert caught.value.advice
    assert not (tmp_path / "out" / MODEL).exists()


def test_columns_of_one_name_are_told_apart_in_a_file_and_refused_in_a_frame(tmp_path: Path) -> None:
    lines = list[str]()

    class Heard(Silent):
        def log(self, level: object, text: str, trial: int | None = None) -> None:  # noqa: ARG002
            lines.append(text)

    table = tmp_path / "table.csv"
    rows = "\n".join(f"{n % 7},{n % 5},{'p' if n % 7 > 3 else 'q'}" for n in range(ROWS))
    table.write_text(f"x,x,y\n{rows}\n")
    spec = JobSpec("y", budget_s=30, algorithms=("logistic",), max_trials=1)
    local.train(table, spec, tmp_path / "out", Heard())
    assert "it is now 'x_2'" in " ".join(lines)
    twice = pd.DataFrame([[1, 2, "p"], [3, 4, "q"]], columns=["x", "x", "y"])
    with pytest.raises(DataError, match="Two columns are called 'x'"):
        fit(twice, "y")
