"""One table with a bit of everything, its studies, and rows of them written as scripts."""

from __future__ import annotations

import datetime as dt
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.candidate import Candidate
from flowml.automl.evaluate import Limits, evaluate
from flowml.automl.prepared import Prepared, prepare_frame
from flowml.automl.script import Basis, script_of
from flowml.storage.records import JobSpec, Role, TrialRecord
from tests.automl.tables import schema_of

FEW = {"rounds": 12, "trees": 6, "learning_rate": 0.2, "rows": 90}
TARGETS = ("left", "plan", "spend")
WORDS = ["good", "Good", "bad!", "late", "refund,", "so"]


def table(rows: int = 240) -> pl.DataFrame:
    draw = np.random.default_rng(5)
    age, region = draw.integers(18, 90, rows), draw.choice(["n", "s", "", " e "], rows)
    note = [" ".join(draw.choice(WORDS, draw.integers(0, 6))) for _ in range(rows)]
    signal = (age - 45) / 20 + (region == "n") + 0.5 * draw.normal(size=rows)
    signal += np.array(["bad!" in text for text in note])
    return pl.DataFrame(
        {
            "age": age,
            "income": [None if draw.random() < 0.1 else float(draw.lognormal(3, 0.5)) for _ in range(rows)],
            "member": draw.random(rows) < 0.5,
            "city": draw.choice([f"city {number}" for number in range(40)], rows),
            "region": region,
            "level": draw.choice([1.0, 2.5, float("nan")], rows),
            "note": note,
            "joined": [dt.date(2015, 1, 1) + dt.timedelta(days=int(d)) for d in draw.integers(0, 3000, rows)],
            "seen": [
                None if draw.random() < 0.1 else dt.datetime(2020, 1, 1) + dt.timedelta(seconds=int(s))
                for s in draw.integers(0, 90_000_000, rows)
            ],
            "weight": draw.integers(1, 4, rows),
            "household": draw.integers(0, 60, rows),
            "left": np.where(signal > 0.2, "yes", "no"),
            "plan": np.array(["basic", "plus", "pro"])[np.digitize(signal, [-0.5, 0.7])],
            "spend": np.exp(signal + 2).round(3),
        },
        schema_overrides={"seen": pl.Datetime("us")},
    )


@dataclass(frozen=True)
class Study:
    prepared: Prepared
    basis: Basis
    path: Path

    def row(self, algorithm: str, rows: int | None = None, **params: Any) -> TrialRecord:
        known = ALGORITHMS[algorithm].defaults(self.prepared.shape)
        known |= {name: value for name, value in FEW.items() if name in known} | params
        return evaluate(self.prepared, Candidate(3, algorithm, known, seed=11, rows=rows), Limits(60)).record

    def rebuilt(self, row: TrialRecord) -> tuple[list[float], float | None]:
        script = self.path.with_suffix(".py")
        script.write_text(script_of(row, self.basis), "utf-8")
        scores, score = runpy.run_path(str(script))["rebuild"](str(self.path))
        return scores, score


def study(
    folder: Path,
    target: str,
    frame: pl.DataFrame | None = None,
    roles: dict[str, Role] | None = None,
    **spec: Any,
) -> Study:
    frame = table() if frame is None else frame
    frame = frame.drop([name for name in TARGETS if name != target], strict=False)
    given = {"note": Role.TEXT, "level": Role.CATEGORICAL, "weight": Role.IGNORED, "household": Role.IGNORED}
    schema = schema_of(frame, **(given | (roles or {})))
    asked = JobSpec(target, **({"folds": 2} | spec))
    prepared = prepare_frame(frame, schema, asked)
    path = folder / "table.parquet"
    frame.write_parquet(path)
    contract = prepared.contract.to_dict()
    return Study(prepared, Basis("job-1", asked, schema, contract, prepared.problem.rows), path)
