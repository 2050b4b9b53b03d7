"""What is told of a champion comes from rows that its models had not seen, in time, and in few bytes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.blend import Blend, ranked, single
from flowml.automl.candidate import Candidate
from flowml.automl.contract import take
from flowml.automl.evaluate import Limits, evaluate
from flowml.automl.insight import NAMES, NO_TIME, STEPS, insight_of
from flowml.automl.learning import learning_curve
from flowml.automl.onnx import native
from flowml.automl.onnx.links import apply_link
from flowml.automl.outcome import load_fitted, trial_folder
from flowml.automl.prepared import Prepared, prepare_frame
from flowml.automl.shap import shap_values
from flowml.automl.tree_shap import LIBRARIES, by_column
from flowml.storage.records import JobSpec, TrialRecord
from tests.automl.tables import TARGETS, prepared, schema_of

FEW = {"rounds": 40, "learning_rate": 0.15, "trees": 10}
MOST_BYTES = 340_000
SOON = 60.0


def tried(table: Prepared, work: Path, algorithm: str, number: int = 0, **changes: object) -> TrialRecord:
    params = ALGORITHMS[algorithm].defaults(table.shape)
    params |= {name: value for name, value in FEW.items() if name in params} | changes
    outcome = evaluate(table, Candidate(number, algorithm, params), Limits(60))
    outcome.save(trial_folder(work, number))
    return outcome.record


def later(seconds: float = SOON) -> float:
    return time.monotonic() + seconds


@pytest.mark.parametrize("target", TARGETS)
def test_a_champion_is_explained_in_full(target: str, tmp_path: Path) -> None:
    table = prepared(target, folds=3)
    records = [tried(table, tmp_path, key, n) for n, key in enumerate(("dummy", "lightgbm"))]
    best = ranked(table, records)
    told = insight_of(table, tmp_path, single(table, tmp_path, best[0]), best, later())
    assert told.cut == ()
    assert {one.column for one in told.importances} == set(table.contract.names)
    found = told.diagnostics
    assert found["baseline"]["score"] == pytest.approx(records[0].score, rel=1e-5)
    assert [each["column"] for each in found["dependence"]] == [one.column for one in told.importances]
    assert found["shap"]["columns"][0]["column"] in ("age", "region")
    assert found["learning_curve"]["points"][-1]["share"] == 1.0
    assert [rival["trial"] for rival in found["rivals"]] == [None, *(record.number for record in best)]
    _compares(found["rivals"])
    assert len(json.dumps(found)) < MOST_BYTES


def _compares(rivals: list[dict[str, Any]]) -> None:
    """The champion is the first trial itself, and the second one learned nothing."""
    champion, first, second = rivals
    if "errors" in champion:
        assert champion["errors"] == first["errors"]
        assert champion["errors"]["x"][30] < second["errors"]["x"][30]
    else:
        assert champion["roc"]["area"] == pytest.approx(first["roc"]["area"])
        assert champion["roc"]["area"] > second["roc"]["area"]
        assert len(champion["precision_recall"]["x"]) <= 60


def test_without_time_nothing_is_told_and_each_part_is_named(tmp_path: Path) -> None:
    table = prepared(folds=3)
    record = tried(table, tmp_path, "logistic")
    told = insight_of(table, tmp_path, single(table, tmp_path, record), [record], later(-1.0))
    assert told.importances == ()
    assert told.cut == tuple(f"{NAMES.get(name, name)}: {NO_TIME}" for name in STEPS)
    assert told.diagnostics["confusion"]["counts"]


def test_what_fails_is_named_and_the_rest_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no such thing")

    monkeypatch.setitem(STEPS, "shap", (0.5, broken))
    table = prepared(folds=3)
    record = tried(table, tmp_path, "logistic")
    told = insight_of(table, tmp_path, single(table, tmp_path, record), [record], later())
    assert told.cut == ("SHAP values: ValueError: no such thing",)
    assert told.importances


def test_many_classes_and_columns_stay_small(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    columns: dict[str, object] = {f"a column with a long name {n}": draw.normal(size=900) for n in range(40)}
    words = {f"w{n}": [f"category {k} " * 9 for k in draw.integers(0, 30, 900)] for n in range(5)}
    frame = pl.DataFrame({**columns, **words, "y": [f"class {n}" for n in draw.integers(0, 40, 900)]})
    table = prepare_frame(frame, schema_of(frame), JobSpec("y", folds=2))
    record = tried(table, tmp_path, "lightgbm", rounds=5, num_leaves=4)
    told = insight_of(table, tmp_path, single(table, tmp_path, record), [record], later())
    assert {"dependence", "shap"} <= told.diagnostics.keys()
    assert len(json.dumps(told.diagnostics)) < MOST_BYTES


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("algorithm", LIBRARIES)
def test_contributions_of_columns_add_up_to_the_prediction(
    target: str, algorithm: str, tmp_path: Path
) -> None:
    table = prepared(target, folds=2)
    record = tried(table, tmp_path, algorithm)
    encoding = table.encoding(ALGORITHMS[algorithm].encoding_for(record.params), 0)
    fitted = load_fitted(trial_folder(tmp_path, 0))[0]
    X = encoding.transform(take(table.feeds, slice(0, 30)))
    columns = [column.feed for column in table.contract.columns]
    values, expected = by_column(fitted, X, encoding.sources, columns)
    assert values.shape == (30, len(columns), fitted.n_outputs)
    total = apply_link(fitted.link, values.sum(axis=1) + expected)
    assert total == pytest.approx(native.predict(fitted, X), rel=1e-5, abs=1e-6)


def test_shap_values_are_told_of_the_member_with_most_weight(tmp_path: Path) -> None:
    table = prepared("plan", folds=2)
    records = [tried(table, tmp_path, key, n) for n, key in enumerate(("logistic", "lightgbm", "catboost"))]
    blend = Blend(tuple(records), (0.6, 0.1, 0.3), np.zeros(0), 0.0, ())
    found = shap_values(table, tmp_path, blend, later())
    assert found is not None
    assert (found["trial"], found["scale"], found["labels"]) == (2, "raw score", ["basic", "plus", "pro"])
    means = [column["mean"] for column in found["columns"]]
    assert means == sorted(means, reverse=True)
    assert len(found["classes"]) == 3
    assert np.mean([each["mean"] for each in found["classes"]], axis=0) == pytest.approx(means)
    first = found["values"][0]
    assert len(first["value"]) == len(first["contribution"]) == found["rows"]
    assert shap_values(table, tmp_path, single(table, tmp_path, records[0]), later()) == {}
    assert shap_values(table, tmp_path, blend, later(-1)) is None


def test_the_learning_curve_rises_and_ends_with_the_trial(tmp_path: Path) -> None:
    table = prepared("spend", rows=600, folds=3)
    record = tried(table, tmp_path, "ridge")
    found = learning_curve(table, record, later())
    assert found is not None
    rows = [point["rows"] for point in found["points"]]
    assert rows == sorted(rows)
    assert (rows[-1], found["folds"]) == (400, 3)
    assert found["points"][-1]["score"] == pytest.approx(np.mean(record.fold_scores))
    assert found["points"][0]["score"] > found["points"][-1]["score"]
    assert learning_curve(table, record, later(-1)) is None
