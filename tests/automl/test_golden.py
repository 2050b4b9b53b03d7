"""Models that earlier versions exported open with this one and answer the same numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.onnx.older import to_ml3
from flowml.automl.package import pack
from flowml.automl.serve import Predictor
from flowml.storage.records import Task
from flowml.storage.version import VERSION

GOLDEN = Path(__file__).parents[1] / "golden"
MODELS = sorted(path.relative_to(GOLDEN) for path in GOLDEN.glob("*/*.onnx"))
KINDS = {*ALGORITHMS, "ensemble", "stack", "limits"}


def test_there_are_those_of_this_version_of_each_algorithm() -> None:
    """Else run scripts/dev/golden."""
    assert {path.stem for path in MODELS if path.parent.name == VERSION} >= KINDS


@pytest.mark.parametrize("path", MODELS, ids=str)
def test_it_opens_and_answers_the_same_numbers(path: Path) -> None:
    predictor = Predictor(GOLDEN / path)
    rows = json.loads((GOLDEN / path.parent / "rows.json").read_text())
    known = json.loads((GOLDEN / path).with_suffix(".json").read_text())
    for answer in (predictor.predict(rows), Predictor((GOLDEN / path).read_bytes()).predict(rows)):
        if predictor.contract.task is Task.REGRESSION:
            assert answer.values == pytest.approx(known["values"], rel=1e-6)
            continue
        assert answer.values.tolist() == known["values"]
        assert answer.probabilities == pytest.approx(np.array(known["probabilities"]), abs=1e-6)
    assert len(predictor.predict_one(rows[0])) == 1


def test_a_model_of_an_earlier_version_is_packed_and_made_older() -> None:
    content = (GOLDEN / next(path for path in MODELS if path.stem == "ensemble")).read_bytes()
    assert Predictor(to_ml3(content)).contract == Predictor(content).contract
    assert pack(content)[:2] == b"PK"
